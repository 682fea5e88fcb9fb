package org.trefoilfs.mount.namespace;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Types of inodes, with their bits in {@code st_mode} (inode(7)). */
public enum FileType {
  FIFO(0010000),
  CHARACTER_DEVICE(0020000),
  DIRECTORY(0040000),
  BLOCK_DEVICE(0060000),
  REGULAR(0100000),
  SYMBOLIC_LINK(0120000),
  SOCKET(0140000);

  /** Mask of the type within {@code st_mode}. */
  public static final int MASK = 0170000;

  private final int bits;

  FileType(int bits) {
    this.bits = bits;
  }

  public int bits() {
    return bits;
  }

  public static FileType ofMode(int mode) {
    for (FileType type : values()) {
      if (type.bits == (mode & MASK)) {
        return type;
      }
    }
    throw new TrefoilException(
        Reason.INVALID, "no file type in mode " + Integer.toOctalString(mode));
  }
}
