package org.trefoilfs.mount.fuse;

import org.trefoilfs.replication.Reason;

/** The one mapping of reasons to errno, with Linux' generic numbers. */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int EAGAIN = 11;
  public static final int EACCES = 13;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int EXDEV = 18;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int EFBIG = 27;
  public static final int ENOSPC = 28;
  public static final int EMLINK = 31;
  public static final int ERANGE = 34;
  public static final int EDEADLK = 35;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOLCK = 37;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ENODATA = 61;
  public static final int EOPNOTSUPP = 95;
  public static final int ESTALE = 116;

  private Errno() {}

  /** The errno that an application sees; what it cannot mend itself is EIO. */
  public static int of(Reason reason) {
    return switch (reason) {
      case INVALID -> EINVAL;
      case NOT_FOUND -> ENOENT;
      case EXISTS -> EEXIST;
      case NOT_EMPTY -> ENOTEMPTY;
      case NOT_DIRECTORY -> ENOTDIR;
      case IS_DIRECTORY -> EISDIR;
      case NO_SPACE -> ENOSPC;
      case NAME_TOO_LONG -> ENAMETOOLONG;
      case TOO_LARGE -> EFBIG;
      case NO_ATTRIBUTE -> ENODATA;
      case NOT_SUPPORTED -> EOPNOTSUPP;
      case NOT_PERMITTED -> EPERM;
      case ACCESS_DENIED -> EACCES;
      case BUSY -> EBUSY;
      case STALE -> ESTALE;
      case TOO_MANY_LINKS -> EMLINK;
      case CROSS_DEVICE -> EXDEV;
      case WOULD_BLOCK -> EAGAIN;
      case DEADLOCK -> EDEADLK;
      case NO_LOCKS -> ENOLCK;
      case INTERRUPTED -> EINTR;
      case UNAVAILABLE, OUTCOME_UNKNOWN, CORRUPT, IO, NOT_LEADER, STALE_VIEW, REFUSED, INTERNAL ->
          EIO;
    };
  }
}
