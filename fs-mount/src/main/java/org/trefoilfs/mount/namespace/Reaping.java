package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.statelog.KeyValue;

/** Taking a deleted volume's tree apart, in steps of bounded length. */
final class Reaping {
  private final KeyValue state;
  private final TreeEdit tree;
  private int budget;
  private int removed;

  private Reaping(KeyValue state, TreeEdit tree, int budget) {
    this.state = state;
    this.tree = tree;
    this.budget = budget;
  }

  static Reply.Reaped reap(KeyValue state, Command.ReapVolume command) {
    VolumeRow row = VolumeRow.ofRow(state.get(Keys.volume(command.volume())));
    VolumeRow known = row == null ? new VolumeRow(0, 0, 0, 0) : row;
    TreeEdit tree = new TreeEdit(state, command.volume(), 0, known);
    Reaping reaping = new Reaping(state, tree, Math.clamp(command.limit(), 1, Limits.BATCH));
    // Numbers only grow and a deleted volume gets none, so nothing appears behind the mark.
    tree.reapedBelow(reaping.stepFrom(Math.max(1, known.reaped())));
    tree.commit();
    return new Reply.Reaped(reaping.removed, tree.volumeRow().inodes());
  }

  /** Goes on at this inode; returns the one to go on at next. */
  private long stepFrom(long first) {
    long next = first;
    for (long number : inodesFrom(first)) {
      if (!take(tree.inode(number))) {
        return number;
      }
      next = number + 1;
    }
    return next;
  }

  private List<Long> inodesFrom(long first) {
    List<Long> numbers = new ArrayList<>();
    state.scan(
        Keys.inodes(tree.volume()),
        Keys.inode(tree.volume(), first),
        (key, row) -> {
          numbers.add(Keys.inodeIn(key));
          return numbers.size() < budget;
        });
    return numbers;
  }

  /** Whether the inode has been dealt with within the budget. */
  private boolean take(Inode inode) {
    if (inode.isDirectory() && !empty(inode)) {
      return false;
    }
    if (budget == 0) {
      return false;
    }
    budget--;
    if (!inode.isRegular()) {
      Orphanage.dropPinsOf(state, inode.number);
      tree.erase(inode);
      removed++;
    } else if (inode.orphan == 0) {
      tree.orphan(inode);
      removed++;
    }
    return true;
  }

  /** Whether the directory's dentries are all gone. */
  private boolean empty(Inode directory) {
    byte[] prefix = Keys.dentries(directory.number);
    List<byte[]> keys = new ArrayList<>();
    int most = budget + 1;
    state.scan(
        prefix,
        prefix,
        (key, row) -> {
          keys.add(key);
          return keys.size() < most;
        });
    int taken = Math.min(budget, keys.size());
    keys.subList(0, taken).forEach(state::delete);
    budget -= taken;
    removed += taken;
    return keys.size() == taken;
  }
}
