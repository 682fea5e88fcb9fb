package org.trefoilfs.mount.namespace;

/**
 * An inode's attributes. Times are nanoseconds since the Unix epoch.
 *
 * @param mode type and permission bits, as {@code st_mode}
 * @param rdev device number of a device file, as {@code st_rdev}
 * @param holder the session that has the write lease; 0 while nobody has. What it holds of the file
 *     may be newer than what is said here
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
    long holder) {

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
        holder);
  }

  public boolean isDirectory() {
    return type() == FileType.DIRECTORY;
  }
}
