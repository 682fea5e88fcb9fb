package org.trefoilfs.mount.namespace;

import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;

/**
 * Access control lists of inodes. A list that says no more than the mode is not kept; the mode's
 * permission bits always are what the list gives. The kernel, which checks, asks for the rows.
 */
public final class AccessLists {
  private AccessLists() {}

  /** Whether an extended attribute of this name is a list. */
  public static boolean isNamedBy(byte[] name) {
    return AccessList.isAccess(name) || AccessList.isDefault(name);
  }

  /** What setting the attribute leaves to be stored; null: nothing, and what there was goes. */
  static byte @Nullable [] set(Inode inode, byte[] name, byte[] value) {
    AccessList list = AccessList.parse(value);
    Refusal.when(inode.type() == FileType.SYMBOLIC_LINK, Reason.NOT_SUPPORTED);
    Refusal.when(AccessList.isDefault(name) && !inode.isDirectory(), Reason.ACCESS_DENIED);
    if (list.entries().isEmpty()) {
      return null;
    }
    if (AccessList.isAccess(name)) {
      inode.mode = list.mode(inode.mode);
      return list.isMode() ? null : list.toXattr();
    }
    return list.toXattr();
  }

  /** The inode's mode has been changed. */
  static void chmod(TreeEdit tree, Inode inode) {
    byte[] value = tree.xattr(inode, AccessList.accessName());
    if (value != null) {
      byte[] changed = AccessList.parse(value).chmod(inode.mode).toXattr();
      tree.state().put(Keys.xattr(inode.number, AccessList.accessName()), changed);
    }
  }

  /**
   * A new inode gets what its directory has by default; then the umask does not count (umask(2)).
   */
  static void inherit(TreeEdit tree, Inode directory, Inode inode, int umask) {
    if (inode.type() == FileType.SYMBOLIC_LINK) {
      return;
    }
    byte[] value = tree.xattr(directory, AccessList.defaultName());
    if (value == null) {
      inode.mode &= ~umask;
      return;
    }
    AccessList list = AccessList.parse(value).created(inode.mode);
    inode.mode = list.mode(inode.mode);
    if (!list.isMode()) {
      add(tree, inode, AccessList.accessName(), list.toXattr());
    }
    if (inode.isDirectory()) {
      add(tree, inode, AccessList.defaultName(), value);
    }
  }

  private static void add(TreeEdit tree, Inode inode, byte[] name, byte[] value) {
    tree.state().put(Keys.xattr(inode.number, name), value);
    inode.xattrs++;
  }
}
