package org.trefoilfs.mount.namespace;

/**
 * What a new inode is to be. {@code mode} includes the type; the set-group-id rule of the parent
 * directory is applied where the inode is made.
 *
 * @param umask permissions that are taken away unless the directory has a default access control
 *     list
 * @param rdev device number, 0 unless a device file
 * @param target a symbolic link's target, else empty
 */
public record NewInode(int mode, int umask, int uid, int gid, long rdev, byte[] target) {
  /** Of a mode from which the umask is taken already. */
  public NewInode(int mode, int uid, int gid, long rdev, byte[] target) {
    this(mode, 0, uid, gid, rdev, target);
  }
}
