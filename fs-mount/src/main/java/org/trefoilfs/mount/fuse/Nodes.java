package org.trefoilfs.mount.fuse;

/**
 * The kernel's node numbers: the inode's own, except that the root is 1 to the kernel
 * (FUSE_ROOT_ID) whatever it is here; the inode 1, if it is another, takes the root's number.
 */
public record Nodes(long root) {
  private static final long ROOT_ID = 1;

  public long node(long inode) {
    return swap(inode);
  }

  public long inode(long node) {
    return swap(node);
  }

  private long swap(long number) {
    if (number == root) {
      return ROOT_ID;
    }
    return number == ROOT_ID ? root : number;
  }
}
