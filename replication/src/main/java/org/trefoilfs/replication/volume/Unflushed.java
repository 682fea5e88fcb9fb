package org.trefoilfs.replication.volume;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.trefoilfs.replication.chunk.Version;

/**
 * Which groups hold writes that no flush has covered yet, by inode, and as what they were committed
 * last. A write is marked when it has ended, before its caller knows; a flush takes a note first,
 * and forgets no more than was marked when it did, and only once it is over: so two flushes at once
 * are both complete. Bounded: of inodes written long ago only the groups are remembered, and
 * flushed along.
 */
final class Unflushed {
  private static final int MAX_INODES = 1 << 16;

  private final LinkedHashMap<Long, Map<Integer, Mark>> marksOfInode = new LinkedHashMap<>();
  private final Map<Integer, Mark> marksOfOld = new HashMap<>();
  private long clock;

  /**
   * @param moment of the last write
   * @param versions the last one in each view: whoever holds that holds those before it
   */
  private record Mark(long moment, List<Version> versions) {
    Mark with(long now, List<Version> more) {
      List<Version> all = new ArrayList<>(versions);
      more.forEach(version -> add(all, version));
      return new Mark(now, List.copyOf(all));
    }

    private static void add(List<Version> all, Version version) {
      for (int i = 0; i < all.size(); i++) {
        if (all.get(i).view() == version.view()) {
          all.set(i, version.n() > all.get(i).n() ? version : all.get(i));
          return;
        }
      }
      all.add(version);
    }
  }

  /**
   * What a flush has to cover, as of a moment.
   *
   * @param versions by group, the last writes in each view; those of unknown outcome have none
   */
  record Note(long inode, long moment, Map<Integer, List<Version>> versions) {}

  /** A write of the inode has ended, and nobody knows how. */
  void mark(long inode, int pg) {
    mark(inode, pg, List.of());
  }

  /** A write of the inode is committed. */
  void mark(long inode, int pg, Version version) {
    mark(inode, pg, List.of(version));
  }

  private synchronized void mark(long inode, int pg, List<Version> versions) {
    long now = ++clock;
    marksOfInode
        .computeIfAbsent(inode, _ -> new HashMap<>(4))
        .merge(pg, new Mark(now, versions), (old, _) -> old.with(now, versions));
    if (marksOfInode.size() > MAX_INODES) {
      Iterator<Map<Integer, Mark>> eldest = marksOfInode.values().iterator();
      eldest
          .next()
          .forEach(
              (group, mark) ->
                  marksOfOld.merge(
                      group, mark, (old, _) -> old.with(mark.moment(), mark.versions())));
      eldest.remove();
    }
  }

  synchronized Note note(long inode) {
    Map<Integer, List<Version>> versions = new HashMap<>();
    marksOfOld.forEach((pg, mark) -> versions.put(pg, mark.versions()));
    marksOfInode
        .getOrDefault(inode, Map.of())
        .forEach(
            (pg, mark) ->
                versions.merge(
                    pg,
                    mark.versions(),
                    (old, _) -> new Mark(0, old).with(0, mark.versions()).versions()));
    return new Note(inode, clock, versions);
  }

  synchronized void flushed(Note note) {
    marksOfOld.values().removeIf(mark -> mark.moment() <= note.moment());
    Map<Integer, Mark> marks = marksOfInode.get(note.inode());
    if (marks != null) {
      marks.values().removeIf(mark -> mark.moment() <= note.moment());
      if (marks.isEmpty()) {
        marksOfInode.remove(note.inode());
      }
    }
  }

  synchronized void forget(long inode) {
    marksOfInode.remove(inode);
  }
}
