package org.trefoilfs.mount.namespace;

/** What the namespace holds at most, each with its reason. */
public final class Limits {
  /** Bytes in a name: NAME_MAX of Linux. */
  public static final int NAME = 255;

  /** Bytes in a symbolic link's target: PATH_MAX of Linux without its terminator. */
  public static final int TARGET = 4095;

  /** Bytes in an extended attribute's name: XATTR_NAME_MAX of Linux. */
  public static final int XATTR_NAME = 255;

  /** Bytes in an extended attribute's value: XATTR_SIZE_MAX of Linux. */
  public static final int XATTR_VALUE = 64 << 10;

  /** Extended attributes of an inode: their names always fit XATTR_LIST_MAX (64 KiB) of Linux. */
  public static final int XATTRS = 256;

  /** Names of an inode, and subdirectories (plus two) of a directory: as ext4. */
  public static final int LINKS = 65_000;

  /** Bytes in a file: 2^31 chunks of 4 MiB, the range of a chunk's index. */
  public static final long FILE_SIZE = 1L << 53;

  /** Names in a location: PATH_MAX of single letters. */
  public static final int DEPTH = 2048;

  /** Entries in one listing, and rows in one answer: keeps an answer near a megabyte. */
  public static final int LISTING = 4096;

  /** Inodes in one pin, unpin or reclaim: keeps the command's apply time in milliseconds. */
  public static final int BATCH = 4096;

  /**
   * How far a session's operations may run ahead of its oldest pending one: bounds the reply cache.
   */
  public static final long OPERATION_WINDOW = 1 << 16;

  /**
   * Sessions that ended and of which replies to requests of the kernel's are kept, for the mount's
   * next daemon; the oldest are forgotten. More mounts than lose their daemons for 10 s at once.
   */
  public static final int ENDED_SESSIONS = 256;

  /**
   * Locked ranges of an inode: they are one row, of some 150 KiB then, that each change writes
   * anew.
   */
  public static final int LOCKS = 4096;

  /** Requests that wait for an inode's locks: each is looked at whenever a lock is let go. */
  public static final int LOCK_WAITS = 1024;

  /** Waits looked at for a deadlock: keeps a lock's apply time in milliseconds. */
  public static final int DEADLOCK_SEARCH = 1024;

  private Limits() {}
}
