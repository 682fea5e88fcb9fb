package org.trefoilfs.mount.namespace;

import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Names.Privileges;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.replication.Reason;

/** Changes of an inode by itself: attributes, sizes, extended attributes. */
final class Attributing {
  /** Permission, set-id and sticky bits of a mode. */
  static final int PERMISSIONS = 07777;

  private static final int SET_UID = 04000;
  private static final int SET_GID = 02000;
  private static final int GROUP_EXECUTE = 00010;

  private Attributing() {}

  static Attributes set(TreeEdit tree, Location at, AttributeChange change) {
    Inode inode = tree.resolve(at);
    if (change.size().isPresent()) {
      long size = change.size().getAsLong();
      checkSized(inode, size);
      inode.holes = size > 0 && (inode.holes || size > inode.size);
      tree.resize(inode, size);
      inode.mtime = tree.now();
    }
    if (change.mode().isPresent()) {
      inode.mode = (inode.mode & FileType.MASK) | (change.mode().getAsInt() & PERMISSIONS);
      AccessLists.chmod(tree, inode);
    }
    inode.uid = change.uid().orElse(inode.uid);
    inode.gid = change.gid().orElse(inode.gid);
    inode.atime = change.times().atime().orElse(inode.atime);
    inode.mtime = change.times().mtime().orElse(inode.mtime);
    return tree.touch(inode).attributes();
  }

  static Attributes wrote(TreeEdit tree, Operation.Wrote wrote) {
    Inode inode = tree.inode(wrote.inode());
    checkSized(inode, wrote.end());
    inode.holes |= wrote.from() > inode.size;
    if (wrote.end() > inode.size) {
      tree.resize(inode, wrote.end());
    }
    inode.mtime = Math.max(inode.mtime, wrote.mtime());
    inode.ctime = Math.max(inode.ctime, wrote.mtime());
    if (wrote.privileges() == Privileges.CLEAR_SET_ID) {
      // should_remove_suid of Linux: without group execution, the bit once meant locking.
      boolean groupRuns = (inode.mode & GROUP_EXECUTE) != 0;
      inode.mode &= ~(groupRuns ? SET_UID | SET_GID : SET_UID);
    }
    return tree.touch(inode).attributes();
  }

  static void setXattr(TreeEdit tree, Operation.SetXattr set) {
    checkXattrName(set.name());
    Refusal.when(set.value().length > Limits.XATTR_VALUE, Reason.TOO_LARGE);
    Inode inode = tree.resolve(set.at());
    if (CommitRule.isNamedBy(set.name())) {
      setCommit(tree, inode, set);
      return;
    }
    boolean exists = tree.xattr(inode, set.name()) != null;
    Refusal.when(exists && set.mode() == XattrMode.CREATE, Reason.EXISTS);
    Refusal.when(!exists && set.mode() == XattrMode.REPLACE, Reason.NO_ATTRIBUTE);
    Refusal.when(!exists && inode.xattrs >= Limits.XATTRS, Reason.NO_SPACE);
    byte[] value = stored(inode, set);
    int after = value == null ? 0 : 1;
    inode.xattrs += after - (exists ? 1 : 0);
    if (value != null) {
      tree.state().put(Keys.xattr(inode.number, set.name()), value);
    } else if (exists) {
      tree.state().delete(Keys.xattr(inode.number, set.name()));
    }
    tree.touch(inode);
  }

  private static byte @Nullable [] stored(Inode inode, Operation.SetXattr set) {
    return AccessLists.isNamedBy(set.name())
        ? AccessLists.set(inode, set.name(), set.value())
        : set.value();
  }

  private static void setCommit(TreeEdit tree, Inode inode, Operation.SetXattr set) {
    boolean exists = inode.commit != CommitRule.VOLUME;
    Refusal.when(!inode.isDirectory() && !inode.isRegular(), Reason.NOT_PERMITTED);
    Refusal.when(exists && set.mode() == XattrMode.CREATE, Reason.EXISTS);
    Refusal.when(!exists && set.mode() == XattrMode.REPLACE, Reason.NO_ATTRIBUTE);
    CommitRule rule = CommitRule.named(set.value());
    if (rule == null) {
      throw new Refusal(Reason.INVALID);
    }
    inode.commit = rule;
    tree.touch(inode);
  }

  static void removeXattr(TreeEdit tree, Location at, byte[] name) {
    checkXattrName(name);
    Inode inode = tree.resolve(at);
    Refusal.when(tree.xattr(inode, name) == null, Reason.NO_ATTRIBUTE);
    if (CommitRule.isNamedBy(name)) {
      inode.commit = CommitRule.VOLUME;
      tree.touch(inode);
      return;
    }
    inode.xattrs--;
    tree.state().delete(Keys.xattr(inode.number, name));
    tree.touch(inode);
  }

  static void checkXattrName(byte[] name) {
    Refusal.when(name.length > Limits.XATTR_NAME, Reason.NAME_TOO_LONG);
    boolean terminated = false;
    for (byte b : name) {
      terminated |= b == 0;
    }
    Refusal.when(name.length == 0 || terminated, Reason.INVALID);
  }

  private static void checkSized(Inode inode, long size) {
    Refusal.when(inode.isDirectory(), Reason.IS_DIRECTORY);
    Refusal.when(!inode.isRegular() || size < 0, Reason.INVALID);
    Refusal.when(size > Limits.FILE_SIZE, Reason.TOO_LARGE);
  }
}
