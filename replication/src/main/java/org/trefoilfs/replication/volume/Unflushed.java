package org.trefoilfs.replication.volume;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Which groups hold writes that no flush has covered yet, by inode. A write is marked when it has
 * ended, before its caller knows; a flush takes a note first, and forgets no more than was marked
 * when it did, and only once it has succeeded: so two flushes at once are both complete. Bounded:
 * of inodes written long ago only the groups are remembered, and flushed along.
 */
final class Unflushed {
  private static final int MAX_INODES = 1 << 16;

  private final LinkedHashMap<Long, Map<Integer, Long>> marksOfInode = new LinkedHashMap<>();
  private final Map<Integer, Long> marksOfOld = new HashMap<>();
  private long clock;

  /** What a flush has to cover, as of a moment. */
  record Note(long inode, long moment, Set<Integer> groups) {}

  synchronized void mark(long inode, int pg) {
    marksOfInode.computeIfAbsent(inode, _ -> new HashMap<>(4)).put(pg, ++clock);
    if (marksOfInode.size() > MAX_INODES) {
      Iterator<Map<Integer, Long>> eldest = marksOfInode.values().iterator();
      marksOfOld.putAll(eldest.next());
      eldest.remove();
    }
  }

  synchronized Note note(long inode) {
    Set<Integer> groups = new HashSet<>(marksOfOld.keySet());
    groups.addAll(marksOfInode.getOrDefault(inode, Map.of()).keySet());
    return new Note(inode, clock, groups);
  }

  synchronized void flushed(Note note) {
    marksOfOld.values().removeIf(mark -> mark <= note.moment());
    Map<Integer, Long> marks = marksOfInode.get(note.inode());
    if (marks != null) {
      marks.values().removeIf(mark -> mark <= note.moment());
      if (marks.isEmpty()) {
        marksOfInode.remove(note.inode());
      }
    }
  }

  synchronized void forget(long inode) {
    marksOfInode.remove(inode);
  }
}
