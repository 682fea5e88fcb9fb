package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

/** Inodes without names, who holds them, and how they go. */
final class Orphanage {
  private static final byte[] EMPTY = {};

  /** Rows looked at in one answer, so that many pinned orphans cannot hold a reader up. */
  private static final int SCANNED = Limits.LISTING;

  private record Row(long sequence, int volume, long inode) {
    static Row of(byte[] key, byte[] value) {
      ByteBuffer in = ByteBuffer.wrap(value);
      return new Row(Keys.sequenceIn(key), in.getInt(), in.getLong());
    }
  }

  private Orphanage() {}

  /** Pins of inodes that are gone are left out: they could never be dropped by reclaiming. */
  static void pin(TreeEdit tree, long session, List<Long> inodes) {
    for (long inode : inodes) {
      if (tree.find(inode) != null) {
        tree.state().put(Keys.pin(inode, session), EMPTY);
        tree.state().put(Keys.pinOfSession(session, inode), EMPTY);
      }
    }
  }

  static void unpin(KeyValue state, long session, List<Long> inodes) {
    for (long inode : inodes) {
      state.delete(Keys.pin(inode, session));
      state.delete(Keys.pinOfSession(session, inode));
    }
  }

  static void dropPins(KeyValue state, long session) {
    List<Long> inodes = new ArrayList<>();
    byte[] prefix = Keys.pinsOfSession(session);
    state.scan(prefix, prefix, (key, value) -> inodes.add(Keys.secondIn(key)));
    unpin(state, session, inodes);
  }

  /** Drops whatever pins the inode has. */
  static void dropPinsOf(KeyValue state, long inode) {
    List<Long> sessions = new ArrayList<>();
    byte[] prefix = Keys.pins(inode);
    state.scan(prefix, prefix, (key, value) -> sessions.add(Keys.secondIn(key)));
    sessions.forEach(session -> unpin(state, session, List.of(inode)));
  }

  /** How many of these orphans are gone now; one that is pinned, or no orphan, stays. */
  static int reclaim(KeyValue state, List<Long> sequences) {
    int count = 0;
    for (long sequence : sequences) {
      byte[] key = Keys.orphan(sequence);
      byte[] value = state.get(key);
      if (value != null && reclaim(state, Row.of(key, value))) {
        count++;
      }
    }
    return count;
  }

  private static boolean reclaim(KeyValue state, Row row) {
    VolumeRow volume = VolumeRow.ofRow(state.get(Keys.volume(row.volume)));
    if (volume == null || isPinned(state, row.inode)) {
      return false;
    }
    TreeEdit tree = new TreeEdit(state, row.volume, 0, volume);
    Inode inode = tree.find(row.inode);
    if (inode == null || inode.holder != 0) {
      return false;
    }
    tree.erase(inode);
    tree.commit();
    return true;
  }

  /** Orphans of one volume beyond the cursor, and the cursor to go on with. */
  static Names.Orphans after(KeyValueReader state, int volume, long cursor) {
    List<Row> rows = scan(state, cursor, Long.MAX_VALUE);
    Set<Long> inodes = new HashSet<>();
    for (Row row : rows) {
      if (row.volume == volume) {
        inodes.add(row.inode);
      }
    }
    // At the end the cursor is the last number given out, not the last row: rows go away.
    long next =
        rows.size() < SCANNED
            ? Math.max(cursor, TreeEdit.counter(state.get(Keys.lastOrphan()), 0))
            : rows.getLast().sequence;
    return new Names.Orphans(inodes, next);
  }

  static Reply.Reclaimable reclaimable(KeyValueReader state, Query.Reclaimable query) {
    List<Row> rows = scan(state, query.after(), query.upTo());
    int max = Math.clamp(query.max(), 1, Limits.BATCH);
    List<Orphan> orphans = new ArrayList<>();
    for (Row row : rows) {
      if (!isPinned(state, row.inode) && !isLeased(state, row)) {
        orphans.add(describe(state, row));
        if (orphans.size() == max) {
          return new Reply.Reclaimable(orphans, row.sequence);
        }
      }
    }
    return new Reply.Reclaimable(orphans, rows.size() < SCANNED ? 0 : rows.getLast().sequence);
  }

  private static Orphan describe(KeyValueReader state, Row row) {
    @Nullable Inode inode = new TreeReader(state, row.volume).find(row.inode);
    long size = inode == null || !inode.isRegular() ? 0 : inode.extent;
    return new Orphan(row.sequence, row.volume, row.inode, size);
  }

  private static List<Row> scan(KeyValueReader state, long after, long upTo) {
    List<Row> rows = new ArrayList<>();
    if (after < 0 || after >= upTo) {
      return rows;
    }
    state.scan(
        Keys.orphans(),
        Keys.orphan(after + 1),
        (key, value) -> {
          Row row = Row.of(key, value);
          if (row.sequence > upTo) {
            return false;
          }
          rows.add(row);
          return rows.size() < SCANNED;
        });
    return rows;
  }

  /** What its holder has yet to write must find the inode. */
  private static boolean isLeased(KeyValueReader state, Row row) {
    @Nullable Inode inode = new TreeReader(state, row.volume).find(row.inode);
    return inode != null && inode.holder != 0;
  }

  private static boolean isPinned(KeyValueReader state, long inode) {
    boolean[] pinned = new boolean[1];
    byte[] prefix = Keys.pins(inode);
    state.scan(
        prefix,
        prefix,
        (key, value) -> {
          pinned[0] = true;
          return false;
        });
    return pinned[0];
  }
}
