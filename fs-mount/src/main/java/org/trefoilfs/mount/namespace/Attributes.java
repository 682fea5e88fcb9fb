package org.trefoilfs.mount.namespace;

/**
 * An inode's attributes. Times are nanoseconds since the Unix epoch.
 *
 * @param mode type and permission bits, as {@code st_mode}
 * @param rdev device number of a device file, as {@code st_rdev}
 * @param allocated bytes that its data takes, of one replica; {@link #UNKNOWN} of a file that may
 *     have holes, of which the storage hosts alone know
 * @param holder the session that has the write lease; 0 while nobody has. What it holds of the file
 *     may be newer than what is said here
 * @param writers which sessions may be writing it
 */
public record Attributes(
    long inode,
    int mode,
    int nlink,
    int uid,
    int gid,
    long rdev,
    long size,
    long atime,
    long mtime,
    long ctime,
    CommitRule commit,
    long allocated,
    long holder,
    Writers writers) {
  /** Of {@link #allocated}. */
  public static final long UNKNOWN = -1;

  private static final int SECTOR = 512;

  public FileType type() {
    return FileType.ofMode(mode);
  }

  /** As they are after a write up to {@code end} at that time, whichever is more. */
  public Attributes written(long end, long time) {
    return new Attributes(
        inode,
        mode,
        nlink,
        uid,
        gid,
        rdev,
        Math.max(size, end),
        atime,
        Math.max(mtime, time),
        Math.max(ctime, time),
        commit,
        end > size ? UNKNOWN : allocated,
        holder,
        writers);
  }

  public Attributes modified(long time) {
    return new Attributes(
        inode, mode, nlink, uid, gid, rdev, size, atime, time, ctime, commit, allocated, holder,
        writers);
  }

  /** Whether the storage hosts have to be asked how much it takes. */
  public boolean mayHaveHoles() {
    return allocated == UNKNOWN;
  }

  public Attributes allocated(long bytes) {
    return new Attributes(
        inode, mode, nlink, uid, gid, rdev, size, atime, mtime, ctime, commit, bytes, holder,
        writers);
  }

  /**
   * {@link #allocated} in sectors of 512 bytes, as {@code st_blocks}; the size if it is unknown.
   */
  public long sectors() {
    return ((mayHaveHoles() ? size : allocated) + SECTOR - 1) / SECTOR;
  }

  public boolean isRegular() {
    return type() == FileType.REGULAR;
  }

  public boolean isDirectory() {
    return type() == FileType.DIRECTORY;
  }
}
