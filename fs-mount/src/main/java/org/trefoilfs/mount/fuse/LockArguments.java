package org.trefoilfs.mount.fuse;

import org.trefoilfs.mount.namespace.LockKind;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.namespace.LockRequest;
import org.trefoilfs.mount.namespace.LockType;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * What GETLK, SETLK and SETLKW say of a lock.
 *
 * @param type F_RDLCK, F_WRLCK or F_UNLCK of fcntl.h, for flocks, too
 */
public record LockArguments(LockKind kind, long owner, int type, LockRange range, int pid) {
  public static final int READ = 0;
  public static final int WRITE = 1;
  public static final int UNLOCK = 2;

  boolean isUnlock() {
    return type == UNLOCK;
  }

  /** Fails with INVALID when it is for no lock. */
  LockRequest request() {
    return new LockRequest(kind, owner, lockType(), range, pid);
  }

  private LockType lockType() {
    return switch (type) {
      case READ -> LockType.READ;
      case WRITE -> LockType.WRITE;
      default -> throw new TrefoilException(Reason.INVALID, "unknown type of lock " + type);
    };
  }

  static int type(LockType of) {
    return switch (of) {
      case READ -> READ;
      case WRITE -> WRITE;
    };
  }
}
