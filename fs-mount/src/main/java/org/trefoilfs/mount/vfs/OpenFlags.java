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

  /** O_DIRECT, of which they do not (arch/arm64/include/uapi/asm/fcntl.h). */
  private static final int DIRECT =
      System.getProperty("os.arch").equals("aarch64") ? 0200000 : 040000;

  private OpenFlags() {}

  /** Whether the file is opened for reading alone, and through the page cache if there is one. */
  public static boolean readsPages(int flags) {
    return (flags & (ACCESS_MODE | DIRECT)) == 0;
  }

  public static boolean has(int flags, int flag) {
    return (flags & flag) != 0;
  }
}
