package org.trefoilfs.mount.vfs;

/**
 * The flags of open(2) that decide what a call means, with the values of Linux' generic ABI (x86-64
 * and arm64 agree: include/uapi/asm-generic/fcntl.h).
 */
public final class OpenFlags {
  public static final int EXCLUSIVE = 0200;
  public static final int TRUNCATE = 01000;
  public static final int APPEND = 02000;

  /** O_DSYNC; O_SYNC contains it. */
  public static final int DATA_SYNC = 010000;

  /** O_ACCMODE, of which O_RDONLY is 0. */
  private static final int ACCESS_MODE = 3;

  private OpenFlags() {}

  public static boolean readsOnly(int flags) {
    return (flags & ACCESS_MODE) == 0;
  }

  public static boolean has(int flags, int flag) {
    return (flags & flag) != 0;
  }
}
