package org.trefoilfs.mount.fuse.libfuse;

import jnr.ffi.Pointer;
import org.trefoilfs.mount.fuse.LockArguments;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.namespace.LockKind;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.vfs.LockPatience;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * {@code struct flock} of fcntl.h, LP64, and the operations of flock(2).
 *
 * <pre>
 *  0 short type   2 short whence: SEEK_SET   8 long start   16 long len, 0: to the end   24 int pid
 * </pre>
 */
final class Flock {
  static final int SIZE = 32;
  private static final int START = 8;
  private static final int LENGTH = 16;
  private static final int PID = 24;

  // LOCK_* of sys/file.h.
  private static final int SHARED = 1;
  private static final int EXCLUSIVE = 2;
  private static final int NON_BLOCKING = 4;
  private static final int UNLOCK = 8;

  private Flock() {}

  static LockArguments read(Pointer file, Pointer lock) {
    long start = lock.getLongLong(START);
    long length = lock.getLongLong(LENGTH);
    long end = length == 0 ? Long.MAX_VALUE : start + length - 1;
    return new LockArguments(
        LockKind.POSIX,
        FileInfo.lockOwner(file),
        lock.getShort(0),
        new LockRange(start, end),
        lock.getInt(PID));
  }

  static void write(Pointer lock, Reply.Conflict conflict) {
    LockRange range = conflict.range();
    boolean open = range.end() == Long.MAX_VALUE;
    lock.setMemory(0, SIZE, (byte) 0);
    lock.putShort(0, (short) conflict.type());
    lock.putLongLong(START, range.start());
    lock.putLongLong(LENGTH, open ? 0 : range.end() - range.start() + 1);
    lock.putInt(PID, conflict.pid());
  }

  /** Fails with INVALID when flock(2) knows no such operation. */
  static LockArguments ofOperation(long owner, int operation, int pid) {
    int type =
        switch (operation & ~NON_BLOCKING) {
          case SHARED -> LockArguments.READ;
          case EXCLUSIVE -> LockArguments.WRITE;
          case UNLOCK -> LockArguments.UNLOCK;
          default ->
              throw new TrefoilException(Reason.INVALID, "unknown operation of flock " + operation);
        };
    return new LockArguments(LockKind.FLOCK, owner, type, LockRange.WHOLE, pid);
  }

  static LockPatience patience(int operation) {
    return (operation & NON_BLOCKING) == 0 ? LockPatience.WAIT : LockPatience.NONE;
  }
}
