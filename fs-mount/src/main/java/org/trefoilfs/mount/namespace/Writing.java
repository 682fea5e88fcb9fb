package org.trefoilfs.mount.namespace;

import java.util.List;
import org.trefoilfs.replication.Reason;

/**
 * Who writes files through, without a {@link WriteLeases write lease}: any number of sessions at
 * once. Before a session changes the first byte it says so here, in the inode's row, and whoever
 * had leased that forgets the file's pages; when it has written nothing for a while it takes that
 * back. In between, others look at the bytes each time.
 */
final class Writing {
  private Writing() {}

  /** The session is among the {@link Writers} of the inode that this gives. */
  static Attributes begin(TreeEdit tree, long session, long number) {
    Inode inode = tree.inode(number);
    Refusal.when(!inode.isRegular(), Reason.INVALID);
    if (!inode.writers.sessions().contains(session)) {
      inode.writers = inode.writers.with(session);
      tree.changed(inode);
      tree.state().put(Keys.leaseOfSession(session, number), WriteLeases.EMPTY);
    }
    return inode.attributes();
  }

  static void end(TreeEdit tree, long session, List<Long> inodes) {
    for (long number : inodes) {
      Inode inode = tree.find(number);
      if (inode != null && inode.writers.sessions().contains(session)) {
        inode.writers = inode.writers.without(session);
        tree.changed(inode);
      }
      WriteLeases.forgetUnlessHeld(tree, session, number);
    }
  }
}
