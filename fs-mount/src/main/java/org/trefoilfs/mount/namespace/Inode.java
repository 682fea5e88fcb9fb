package org.trefoilfs.mount.namespace;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * An inode's row while a command works on it.
 *
 * <pre>
 *  0   format(1) mode(4) nlink(4) uid(4) gid(4)
 *  17  rdev(8) size(8) atime(8) mtime(8) ctime(8)
 *  57  extent(8) parent(8) orphan(8) xattrs(4)
 *  85  commit(1) holder(8) holes(1)
 *  95  writers: version(8), count(4), session(8) each
 *      target: length(4) bytes
 * </pre>
 *
 * A directory's size is the number of its entries. {@code extent} is the largest size that the file
 * ever had: chunks may lie up to there if a mount died between cutting the size and punching.
 * Format 3 had no {@code writers}, format 2 no {@code holes} either.
 */
final class Inode {
  private static final int FORMAT = 4;
  private static final int WITHOUT_WRITERS = 3;
  private static final int WITHOUT_HOLES = 2;
  private static final int BLOCK = 4096;
  private static final byte[] NO_TARGET = {};

  final long number;
  int mode;
  int nlink = 1;
  int uid;
  int gid;
  long rdev;
  long size;
  long atime;
  long mtime;
  long ctime;
  long extent;

  /** The directory that holds this directory; 0 for other types. */
  long parent;

  /** Its number among the orphans; 0 while it has a name. */
  long orphan;

  int xattrs;
  CommitRule commit = CommitRule.VOLUME;

  /** The session that has the write lease; 0 while nobody has. */
  long holder;

  /**
   * Whether there may be blocks of zeros below its end. Once true, only cutting the file to nothing
   * makes it false.
   */
  boolean holes;

  /** Who may write it through, see {@link Writing}. */
  Writers writers = Writers.NONE;

  byte[] target = NO_TARGET;

  Inode(long number, int mode) {
    this.number = number;
    this.mode = mode;
  }

  FileType type() {
    return FileType.ofMode(mode);
  }

  boolean isDirectory() {
    return (mode & FileType.MASK) == FileType.DIRECTORY.bits();
  }

  boolean isRegular() {
    return (mode & FileType.MASK) == FileType.REGULAR.bits();
  }

  /** What it adds to the volume's bytes. */
  long charge() {
    return isRegular() ? size : 0;
  }

  Attributes attributes() {
    return new Attributes(
        number,
        mode,
        nlink,
        uid,
        gid,
        rdev,
        size,
        atime,
        mtime,
        ctime,
        commit,
        allocated(),
        holder,
        writers);
  }

  private long allocated() {
    if (!isRegular()) {
      return 0;
    }
    return holes ? Attributes.UNKNOWN : (size + BLOCK - 1) / BLOCK * BLOCK;
  }

  byte[] toRow() {
    ByteWriter out = new ByteWriter(126 + target.length);
    out.u8(FORMAT).i32(mode).i32(nlink).i32(uid).i32(gid);
    out.i64(rdev).i64(size).i64(atime).i64(mtime).i64(ctime);
    out.i64(extent).i64(parent).i64(orphan).i32(xattrs);
    out.u8(commit.code()).i64(holder).bool(holes);
    Codec.write(out, writers);
    return out.blob(target).toBytes();
  }

  static Inode ofRow(long number, byte[] row) {
    ByteReader in = new ByteReader(row);
    int format = in.u8();
    if (format < WITHOUT_HOLES || format > FORMAT) {
      throw new TrefoilException(
          Reason.CORRUPT,
          "inode " + number + " is stored in unknown format " + format + "; upgrade this host");
    }
    Inode inode = new Inode(number, in.i32());
    inode.nlink = in.i32();
    inode.uid = in.i32();
    inode.gid = in.i32();
    inode.rdev = in.i64();
    inode.size = in.i64();
    inode.atime = in.i64();
    inode.mtime = in.i64();
    inode.ctime = in.i64();
    inode.extent = in.i64();
    inode.parent = in.i64();
    inode.orphan = in.i64();
    inode.xattrs = in.i32();
    inode.commit = CommitRule.ofCode(in.u8());
    inode.holder = in.i64();
    inode.holes = format == WITHOUT_HOLES || in.bool();
    if (format > WITHOUT_WRITERS) {
      inode.writers = Codec.writers(in);
    }
    inode.target = in.blob();
    return inode;
  }
}
