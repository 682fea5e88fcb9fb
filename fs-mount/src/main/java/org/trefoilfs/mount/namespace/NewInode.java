package org.trefoilfs.mount.namespace;

/**
 * What a new inode is to be. {@code mode} includes the type; the set-group-id rule of the parent
 * directory is applied where the inode is made.
 *
 * @param rdev device number, 0 unless a device file
 * @param target a symbolic link's target, else empty
 */
public record NewInode(int mode, int uid, int gid, long rdev, byte[] target) {}
