package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

/**
 * The locks of an inode as a row, and the rows by which a session finds it: they are derived from
 * what the row holds, whenever it is written.
 *
 * <pre>
 *  0  format(1), count of locks(4), count of waits(4)
 *  9  each lock: session(8) owner(8) kind(1) type(1) start(8) end(8) pid(4)
 *     each wait: ticket(8) overtaken(4) lock(38)
 * </pre>
 */
final class LockRows {
  private static final int FORMAT = 1;
  private static final int LOCK = 38;
  private static final int WAIT = 12 + LOCK;
  private static final byte[] EMPTY = {};

  private LockRows() {}

  static FileLocks read(KeyValueReader state, long inode) {
    return of(inode, state.get(Keys.locks(inode)));
  }

  static FileLocks of(long inode, byte @Nullable [] row) {
    if (row == null) {
      return new FileLocks(List.of(), List.of());
    }
    ByteReader in = new ByteReader(row);
    int format = in.u8();
    if (format != FORMAT) {
      throw new TrefoilException(
          Reason.CORRUPT,
          "locks of inode " + inode + " are stored in unknown format " + format + "; upgrade");
    }
    int held = in.i32();
    int waiting = in.i32();
    return new FileLocks(
        Codec.many(in, held, LockCodec::heldLock),
        Codec.many(in, waiting, i -> new LockWait(i.i64(), i.i32(), LockCodec.heldLock(i))));
  }

  /** In place of what the row held before. */
  static void write(KeyValue state, long inode, FileLocks locks) {
    FileLocks before = read(state, inode);
    Set<Long> sessions = sessions(locks);
    for (long session : sessions(before)) {
      if (!sessions.contains(session)) {
        state.delete(Keys.lockedBySession(session, inode));
      }
    }
    sessions.forEach(session -> state.put(Keys.lockedBySession(session, inode), EMPTY));
    without(before, locks).forEach(wait -> state.delete(key(wait)));
    without(locks, before)
        .forEach(wait -> state.put(key(wait), whatFor(inode, wait.wanted().owner())));
    if (locks.isEmpty()) {
      state.delete(Keys.locks(inode));
    } else {
      state.put(Keys.locks(inode), row(locks));
    }
  }

  private static List<LockWait> without(FileLocks these, FileLocks those) {
    Set<LockWait> known = new HashSet<>(those.waiting());
    return these.waiting().stream().filter(wait -> !known.contains(wait)).toList();
  }

  private static Set<Long> sessions(FileLocks locks) {
    Set<Long> sessions = new HashSet<>();
    locks.held().forEach(lock -> sessions.add(lock.owner().session()));
    locks.waiting().forEach(wait -> sessions.add(wait.wanted().owner().session()));
    return sessions;
  }

  private static byte[] key(LockWait wait) {
    return Keys.lockWait(wait.wanted().owner().session(), wait.ticket());
  }

  private static byte[] whatFor(long inode, LockOwner owner) {
    return owner.kind() == LockKind.FLOCK
        ? ByteBuffer.allocate(8).putLong(inode).array()
        : ByteBuffer.allocate(16).putLong(inode).putLong(owner.id()).array();
  }

  private static byte[] row(FileLocks locks) {
    int size = 9 + locks.held().size() * LOCK + locks.waiting().size() * WAIT;
    ByteWriter out = new ByteWriter(size);
    out.u8(FORMAT).i32(locks.held().size()).i32(locks.waiting().size());
    locks.held().forEach(lock -> LockCodec.write(out, lock));
    locks
        .waiting()
        .forEach(
            wait -> LockCodec.write(out.i64(wait.ticket()).i32(wait.overtaken()), wait.wanted()));
    return out.toBytes();
  }
}
