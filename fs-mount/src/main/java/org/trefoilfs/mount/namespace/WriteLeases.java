package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

/**
 * Write leases: while a session has an inode's, every other asks for it to end before it reads,
 * writes or looks at the size, and waits until it has ended. Append leases: while a session has an
 * inode's, no other appends to it, nor gets the write lease; readers and other writers need not
 * know.
 *
 * <p>They are rows, not memory of the leader's: a new leader knows them, and no grace period is
 * needed. What that costs is one commit when a mount begins to write a file.
 */
final class WriteLeases {
  static final byte[] EMPTY = {};

  private WriteLeases() {}

  /** The inode as it is now; the session has the lease if it is the {@code holder} in it. */
  static Attributes lease(TreeEdit tree, long session, long number) {
    Inode inode = tree.inode(number);
    Refusal.when(!inode.isRegular(), Reason.INVALID);
    long appender = appender(tree.state(), number);
    if (inode.holder == 0 && (appender == 0 || appender == session)) {
      inode.holder = session;
      inode.writers = inode.writers.next();
      tree.changed(inode);
      tree.state().put(Keys.leaseOfSession(session, number), EMPTY);
    }
    return inode.attributes();
  }

  /** The session that may append now: this one, unless another has either lease. */
  static long leaseAppends(TreeEdit tree, long session, long number) {
    Inode inode = tree.inode(number);
    Refusal.when(!inode.isRegular(), Reason.INVALID);
    long appender = appender(tree.state(), number);
    long other = appender == 0 || appender == session ? inode.holder : appender;
    if (other != 0 && other != session) {
      return other;
    }
    if (appender == 0) {
      byte[] row = ByteBuffer.allocate(Long.BYTES).putLong(session).array();
      tree.state().put(Keys.appender(number), row);
      tree.state().put(Keys.leaseOfSession(session, number), EMPTY);
    }
    return session;
  }

  /** 0: nobody. */
  private static long appender(KeyValueReader state, long number) {
    return TreeEdit.counter(state.get(Keys.appender(number)), 0);
  }

  static void recall(TreeEdit tree, long session, long number) {
    for (long holder : List.of(tree.inode(number).holder, appender(tree.state(), number))) {
      if (holder != 0 && holder != session) {
        tree.state().put(Keys.recall(holder, number), EMPTY);
      }
    }
  }

  static void unlease(TreeEdit tree, long session, List<Long> inodes) {
    for (long number : inodes) {
      Inode inode = tree.find(number);
      if (inode != null && inode.holder == session) {
        inode.holder = 0;
        tree.changed(inode);
      }
      forgetUnlessHeld(tree, session, number);
    }
  }

  static void unleaseAppends(TreeEdit tree, long session, List<Long> inodes) {
    for (long number : inodes) {
      if (appender(tree.state(), number) == session) {
        tree.state().delete(Keys.appender(number));
      }
      forgetUnlessHeld(tree, session, number);
    }
  }

  /**
   * STALE when the earlier session is over: others may have had its leases since. Append leases end
   * with it, and so does what it wrote through: something of that may still be on its way.
   */
  static void inherit(TreeEdit tree, long from, long to) {
    Sessions.inherit(tree.state(), from, to);
    for (long number : of(tree.state(), from)) {
      Inode inode = tree.find(number);
      if (inode != null && inode.holder == from) {
        boolean recalled = tree.state().get(Keys.recall(from, number)) != null;
        inode.holder = to;
        tree.changed(inode);
        tree.state().put(Keys.leaseOfSession(to, number), EMPTY);
        if (recalled) {
          tree.state().put(Keys.recall(to, number), EMPTY);
        }
      }
      forgetUnlessHeld(tree, from, number);
    }
  }

  private static List<Long> of(KeyValueReader state, long session) {
    List<Long> inodes = new ArrayList<>();
    byte[] prefix = Keys.leasesOfSession(session);
    state.scan(prefix, prefix, (key, value) -> inodes.add(Keys.secondIn(key)));
    return inodes;
  }

  static Reply.Numbers recalls(KeyValueReader state, long session) {
    List<Long> inodes = new ArrayList<>();
    byte[] prefix = Keys.recallsOfSession(session);
    state.scan(
        prefix,
        prefix,
        (key, value) -> {
          inodes.add(Keys.secondIn(key));
          return inodes.size() < Limits.BATCH;
        });
    return new Reply.Numbers(inodes);
  }

  /** The session is over; a session belongs to one volume. */
  static void drop(KeyValue state, long session) {
    List<Long> inodes = of(state, session);
    if (inodes.isEmpty()) {
      return;
    }
    for (int volume : Sessions.volumes(state, session)) {
      VolumeRow row = VolumeRow.ofRow(state.get(Keys.volume(volume)));
      if (row != null) {
        TreeEdit tree = new TreeEdit(state, volume, 0, row);
        unlease(tree, session, inodes);
        unleaseAppends(tree, session, inodes);
        Writing.end(tree, session, inodes);
        tree.commit();
      }
    }
    inodes.forEach(inode -> forget(state, session, inode));
  }

  /** The inode goes. */
  static void dropOf(KeyValue state, Inode inode) {
    if (inode.holder != 0) {
      forget(state, inode.holder, inode.number);
    }
    inode.writers.sessions().forEach(session -> forget(state, session, inode.number));
    long appender = appender(state, inode.number);
    if (appender != 0) {
      state.delete(Keys.appender(inode.number));
      forget(state, appender, inode.number);
    }
  }

  static void forgetUnlessHeld(TreeEdit tree, long session, long number) {
    Inode inode = tree.find(number);
    boolean holds =
        inode != null && (inode.holder == session || inode.writers.sessions().contains(session));
    if (!holds && appender(tree.state(), number) != session) {
      forget(tree.state(), session, number);
    }
  }

  private static void forget(KeyValue state, long session, long inode) {
    state.delete(Keys.leaseOfSession(session, inode));
    state.delete(Keys.recall(session, inode));
  }
}
