package org.trefoilfs.mount.namespace;

import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.TreeReader.Child;
import org.trefoilfs.mount.namespace.TreeReader.Place;
import org.trefoilfs.replication.Reason;

/**
 * Making and removing names: create, link, unlink, rmdir. Errors come in the order in which Linux
 * finds them (fs/namei.c: filename_create, vfs_link, may_delete).
 */
final class Naming {
  private static final int SET_GID = 02000;

  private Naming() {}

  static Attributes create(TreeEdit tree, Location at, NewInode wanted) {
    Refusal.when(at.names().isEmpty(), Reason.EXISTS);
    Place place = tree.place(at);
    Refusal.when(tree.find(place.directory().number, place.name()) != null, Reason.EXISTS);
    checkWanted(wanted, place.directory());
    Inode inode = tree.create(wanted.mode());
    inode.uid = wanted.uid();
    inode.gid = wanted.gid();
    inode.rdev = wanted.rdev();
    inode.target = wanted.target();
    inode.commit = place.directory().commit;
    inode.size = wanted.target().length;
    AccessLists.inherit(tree, place.directory(), inode, wanted.umask());
    inheritGroup(inode, place.directory());
    if (inode.isDirectory()) {
      inode.nlink = 2;
      inode.parent = place.directory().number;
      place.directory().nlink++;
    }
    tree.enter(place, inode);
    return inode.attributes();
  }

  /** The root of a volume, its own parent. */
  static Inode createRoot(TreeEdit tree) {
    Inode root = tree.create(FileType.DIRECTORY.bits() | 0755);
    root.nlink = 2;
    root.parent = root.number;
    return root;
  }

  static Attributes link(TreeEdit tree, Location from, Location to) {
    Inode inode = tree.resolve(from);
    Refusal.when(to.names().isEmpty(), Reason.EXISTS);
    Place place = tree.place(to);
    Refusal.when(tree.find(place.directory().number, place.name()) != null, Reason.EXISTS);
    Refusal.when(inode.isDirectory(), Reason.NOT_PERMITTED);
    // An orphan never gets a name again: its chunks may be on their way out.
    Refusal.when(inode.nlink == 0, Reason.NOT_FOUND);
    Refusal.when(inode.nlink >= Limits.LINKS, Reason.TOO_MANY_LINKS);
    inode.nlink++;
    tree.touch(inode);
    tree.enter(place, inode);
    return inode.attributes();
  }

  static void unlink(TreeEdit tree, Location at) {
    Refusal.when(at.names().isEmpty(), Reason.IS_DIRECTORY);
    Place place = tree.place(at);
    Child child = tree.child(place);
    Refusal.when(child.type() == FileType.DIRECTORY, Reason.IS_DIRECTORY);
    Inode inode = tree.inode(child.inode());
    tree.leave(place);
    tree.drop(inode);
  }

  static void rmdir(TreeEdit tree, Location at) {
    Refusal.when(at.names().isEmpty(), Reason.BUSY);
    Place place = tree.place(at);
    Child child = tree.child(place);
    Refusal.when(child.type() != FileType.DIRECTORY, Reason.NOT_DIRECTORY);
    Inode directory = tree.inode(child.inode());
    Refusal.when(directory.size > 0, Reason.NOT_EMPTY);
    tree.leave(place);
    place.directory().nlink--;
    tree.drop(directory);
  }

  private static void checkWanted(NewInode wanted, Inode parent) {
    FileType type = FileType.ofMode(wanted.mode());
    boolean directory = type == FileType.DIRECTORY;
    boolean symlink = type == FileType.SYMBOLIC_LINK;
    Refusal.when((wanted.mode() & ~(FileType.MASK | Attributing.PERMISSIONS)) != 0, Reason.INVALID);
    Refusal.when((wanted.umask() & ~0777) != 0, Reason.INVALID);
    Refusal.when(!symlink && wanted.target().length > 0, Reason.INVALID);
    Refusal.when(symlink && wanted.target().length == 0, Reason.NOT_FOUND);
    Refusal.when(wanted.target().length > Limits.TARGET, Reason.NAME_TOO_LONG);
    Refusal.when(directory && parent.nlink >= Limits.LINKS, Reason.TOO_MANY_LINKS);
  }

  /** inode_init_owner of Linux. */
  private static void inheritGroup(Inode inode, Inode parent) {
    if ((parent.mode & SET_GID) != 0) {
      inode.gid = parent.gid;
      if (inode.isDirectory()) {
        inode.mode |= SET_GID;
      }
    }
  }

  static boolean isDirectory(@Nullable Child child) {
    return child != null && child.type() == FileType.DIRECTORY;
  }
}
