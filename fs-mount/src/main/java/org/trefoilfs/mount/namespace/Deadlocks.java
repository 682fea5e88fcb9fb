package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.trefoilfs.replication.statelog.KeyValueReader;

/**
 * Looks for circles of owners that wait for each other's POSIX locks, at whatever mounts. As on a
 * local filesystem a flock waits for ever. OFD locks take part, as the kernel does not say which
 * they are.
 */
final class Deadlocks {
  private static final int TO_POSIX = 16;

  private final KeyValueReader state;
  private final Set<LockOwner> seen = new HashSet<>();
  private final Deque<LockOwner> next = new ArrayDeque<>();
  private int left = Limits.DEADLOCK_SEARCH;

  private Deadlocks(KeyValueReader state) {
    this.state = state;
  }

  /** Whether somebody whom the owner would wait for waits, by whatever way, for the owner. */
  static boolean wouldClose(KeyValueReader state, long inode, HeldLock wanted) {
    return wanted.owner().kind() == LockKind.POSIX && new Deadlocks(state).leadsBack(inode, wanted);
  }

  private boolean leadsBack(long inode, HeldLock wanted) {
    follow(inode, wanted);
    while (!next.isEmpty()) {
      LockOwner owner = next.remove();
      if (owner.equals(wanted.owner())) {
        return true;
      }
      followWaitsOf(owner);
    }
    return false;
  }

  private void followWaitsOf(LockOwner owner) {
    byte[] prefix = Keys.lockWaits(owner.session());
    state.scan(
        prefix,
        prefix,
        (key, value) -> {
          ByteBuffer row = ByteBuffer.wrap(value);
          if (value.length == TO_POSIX && row.getLong(8) == owner.id()) {
            long inode = row.getLong(0);
            LockRows.read(state, inode)
                .wait(owner.session(), Keys.secondIn(key))
                .ifPresent(wait -> follow(inode, wait.wanted()));
          }
          return --left > 0;
        });
  }

  /** To all whose locks are in the way. */
  private void follow(long inode, HeldLock wanted) {
    for (HeldLock lock : LockRows.read(state, inode).held()) {
      if (wanted.conflicts(lock) && seen.add(lock.owner())) {
        next.add(lock.owner());
      }
    }
  }
}
