package org.trefoilfs.mount.namespace;

/**
 * An inode's attributes. Times are nanoseconds since the Unix epoch.
 *
 * @param mode type and permission bits, as {@code st_mode}
 * @param rdev device number of a device file, as {@code st_rdev}
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
    long ctime) {

  public FileType type() {
    return FileType.ofMode(mode);
  }

  public boolean isDirectory() {
    return type() == FileType.DIRECTORY;
  }
}
