package org.trefoilfs.mount.namespace;

import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.namespace.TreeReader.Child;
import org.trefoilfs.mount.namespace.TreeReader.Place;
import org.trefoilfs.replication.Reason;

/** rename(2). Errors come in the order in which Linux finds them (fs/namei.c: do_renameat2). */
final class Renaming {
  private final TreeEdit tree;
  private final Place from;
  private final Place to;
  private final Child source;
  private final @Nullable Child target;

  private Renaming(TreeEdit tree, Place from, Place to) {
    this.tree = tree;
    this.from = from;
    this.to = to;
    this.source = tree.child(from);
    this.target = tree.find(to.directory().number, to.name());
  }

  static void rename(TreeEdit tree, Location from, Location to, RenameMode mode) {
    Refusal.when(from.names().isEmpty(), Reason.BUSY);
    Refusal.when(to.names().isEmpty(), mode == RenameMode.NO_REPLACE ? Reason.EXISTS : Reason.BUSY);
    Renaming renaming = new Renaming(tree, tree.place(from), tree.place(to));
    if (mode == RenameMode.EXCHANGE) {
      renaming.exchange();
    } else {
      renaming.move(mode);
    }
  }

  private void move(RenameMode mode) {
    Refusal.when(mode == RenameMode.NO_REPLACE && target != null, Reason.EXISTS);
    Refusal.when(isAbove(source, to.directory()), Reason.INVALID);
    if (target != null && target.inode() == source.inode()) {
      return;
    }
    boolean directory = Naming.isDirectory(source);
    Inode replaced = target == null ? null : replaceable(target, directory);
    boolean gains = directory && replaced == null && from.directory() != to.directory();
    Refusal.when(gains && to.directory().nlink >= Limits.LINKS, Reason.TOO_MANY_LINKS);

    Inode moved = tree.inode(source.inode());
    if (replaced != null) {
      tree.leave(to);
      to.directory().nlink -= directory ? 1 : 0;
      tree.drop(replaced);
    }
    tree.leave(from);
    tree.enter(to, moved);
    settle(moved, from.directory(), to.directory());
  }

  private Inode replaceable(Child child, boolean byDirectory) {
    boolean directory = Naming.isDirectory(child);
    Refusal.when(byDirectory && !directory, Reason.NOT_DIRECTORY);
    Refusal.when(!byDirectory && directory, Reason.IS_DIRECTORY);
    Inode inode = tree.inode(child.inode());
    Refusal.when(directory && inode.size > 0, Reason.NOT_EMPTY);
    return inode;
  }

  private void exchange() {
    if (target == null) {
      throw new Refusal(Reason.NOT_FOUND);
    }
    Refusal.when(isAbove(source, to.directory()), Reason.INVALID);
    Refusal.when(isAbove(target, from.directory()), Reason.INVALID);
    if (target.inode() == source.inode()) {
      return;
    }
    checkLinks(source, target, to.directory());
    checkLinks(target, source, from.directory());
    Inode there = tree.inode(source.inode());
    Inode here = tree.inode(target.inode());
    tree.enter(to, source);
    tree.enter(from, target);
    tree.touchEntries(from.directory());
    tree.touchEntries(to.directory());
    settle(there, from.directory(), to.directory());
    settle(here, to.directory(), from.directory());
  }

  private void checkLinks(Child comes, Child goes, Inode directory) {
    boolean gains =
        Naming.isDirectory(comes)
            && !Naming.isDirectory(goes)
            && from.directory() != to.directory();
    Refusal.when(gains && directory.nlink >= Limits.LINKS, Reason.TOO_MANY_LINKS);
  }

  private void settle(Inode inode, Inode left, Inode entered) {
    if (inode.isDirectory()) {
      left.nlink--;
      entered.nlink++;
      inode.parent = entered.number;
    }
    tree.touch(inode);
  }

  /** Whether the child is the directory or one of its ancestors. */
  private boolean isAbove(Child child, Inode directory) {
    if (!Naming.isDirectory(child) || from.directory() == to.directory()) {
      return false;
    }
    Inode current = directory;
    while (current.number != child.inode()) {
      if (current.parent == current.number) {
        return false;
      }
      current = tree.inode(current.parent);
    }
    return true;
  }
}
