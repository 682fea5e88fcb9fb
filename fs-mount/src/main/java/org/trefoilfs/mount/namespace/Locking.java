package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

/**
 * flock(2) and fcntl(2) locks of all mounts. They are rows, as {@link WriteLeases} are, and go with
 * their session when it has been fenced: until then it could still write what they guard.
 */
final class Locking {
  private Locking() {}

  /**
   * HELD; with a ticket, WAITING where others are in the way. Refuses with WOULD_BLOCK without a
   * ticket, DEADLOCK, NO_LOCKS.
   */
  static LockStatus lock(TreeEdit tree, long session, Operation.Lock asked) {
    long inode = tree.inode(asked.inode()).number;
    FileLocks locks = LockRows.read(tree.state(), inode);
    HeldLock wanted = asked.request().by(session);
    boolean blocked = locks.blocker(wanted).isPresent();
    if (!blocked && (asked.ticket() == 0 || locks.before(wanted).isEmpty())) {
      locks.take(wanted);
      LockRows.write(tree.state(), inode, granted(locks));
      return LockStatus.HELD;
    }
    Refusal.when(asked.ticket() == 0, Reason.WOULD_BLOCK);
    boolean twice = tree.state().get(Keys.lockWait(session, asked.ticket())) != null;
    Refusal.when(twice, Reason.INVALID);
    boolean deadlock = Deadlocks.wouldClose(tree.state(), inode, wanted);
    Refusal.when(deadlock, Reason.DEADLOCK);
    locks.await(new LockWait(asked.ticket(), 0, wanted));
    if (wanted.owner().kind() == LockKind.FLOCK) {
      // As flock(2) has it: two that share the lock and both want it alone would wait for ever.
      locks.release(wanted.owner(), LockRange.WHOLE);
    }
    LockRows.write(tree.state(), inode, granted(locks));
    return LockStatus.WAITING;
  }

  /** What the owner has of the file after that. */
  static LockStatus unlock(TreeEdit tree, long session, Operation.Unlock asked) {
    FileLocks locks = LockRows.read(tree.state(), asked.inode());
    LockOwner owner = new LockOwner(session, asked.kind(), asked.owner());
    if (locks.of(owner).isEmpty()) {
      return LockStatus.NONE;
    }
    locks.release(owner, asked.range());
    LockRows.write(tree.state(), asked.inode(), granted(locks));
    return locks.of(owner).isEmpty() ? LockStatus.NONE : LockStatus.HELD;
  }

  /** The session waits no longer; HELD when the lock was granted before it said so. */
  static LockStatus withdraw(TreeEdit tree, long session, Operation.WithdrawLock asked) {
    FileLocks locks = LockRows.read(tree.state(), asked.inode());
    Optional<LockWait> wait = locks.wait(session, asked.ticket());
    if (wait.isEmpty()) {
      return LockStatus.HELD;
    }
    locks.withdraw(wait.get());
    LockRows.write(tree.state(), asked.inode(), granted(locks));
    return LockStatus.NONE;
  }

  /**
   * Gives the session the lock before its turn, if only others that wait are in the way, and none
   * of them has been overtaken so often before.
   */
  static LockStatus overtake(TreeEdit tree, long session, Operation.OvertakeLock asked) {
    FileLocks locks = LockRows.read(tree.state(), asked.inode());
    Optional<LockWait> wait = locks.wait(session, asked.ticket());
    if (wait.isEmpty()) {
      return LockStatus.HELD;
    }
    if (locks.blocker(wait.get().wanted()).isPresent()
        || locks.overtaken(wait.get()) >= asked.times()) {
      return LockStatus.WAITING;
    }
    locks.overtake(wait.get());
    LockRows.write(tree.state(), asked.inode(), granted(locks));
    return LockStatus.HELD;
  }

  private static FileLocks granted(FileLocks locks) {
    locks.grant();
    return locks;
  }

  static Reply.Blocker test(KeyValueReader state, Query.TestLock asked) {
    Refusal.when(
        new TreeReader(state, asked.volume()).find(asked.inode()) == null, Reason.NOT_FOUND);
    HeldLock wanted = asked.request().by(asked.session());
    return new Reply.Blocker(LockRows.read(state, asked.inode()).blocker(wanted));
  }

  /** Tickets of the session that wait still. Refuses with STALE when the session is over. */
  static Reply.Numbers waits(KeyValueReader state, Query.LockWaits asked) {
    Refusal.when(Sessions.isOver(state, asked.session()), Reason.STALE);
    List<Long> tickets = new ArrayList<>();
    state.scan(
        Keys.lockWaits(asked.session()),
        Keys.lockWait(asked.session(), asked.after() + 1),
        (key, value) -> {
          tickets.add(Keys.secondIn(key));
          return tickets.size() < Limits.BATCH;
        });
    return new Reply.Numbers(tickets);
  }

  /**
   * The session goes on with what an earlier one of the same mount holds. Refuses with STALE when
   * that is over: others may have had its locks since.
   */
  static List<InheritedLock> inherit(KeyValue state, long from, long to) {
    Sessions.inherit(state, from, to);
    List<InheritedLock> inherited = new ArrayList<>();
    for (long inode : lockedBy(state, from)) {
      FileLocks locks = LockRows.read(state, inode);
      locks.inherit(from, to);
      LockRows.write(state, inode, granted(locks));
      locks.held().stream()
          .filter(lock -> lock.owner().session() == to)
          .forEach(lock -> inherited.add(new InheritedLock(inode, lock)));
    }
    return inherited;
  }

  private static List<Long> lockedBy(KeyValueReader state, long session) {
    List<Long> inodes = new ArrayList<>();
    byte[] prefix = Keys.lockedBySession(session);
    state.scan(prefix, prefix, (key, value) -> inodes.add(Keys.secondIn(key)));
    return inodes;
  }

  /** The session is over. */
  static void drop(KeyValue state, long session) {
    for (long inode : lockedBy(state, session)) {
      FileLocks locks = LockRows.read(state, inode);
      locks.drop(owner -> owner.session() == session);
      LockRows.write(state, inode, granted(locks));
    }
  }

  /** The inode goes. */
  static void dropOf(KeyValue state, long inode) {
    if (state.get(Keys.locks(inode)) != null) {
      LockRows.write(state, inode, new FileLocks(List.of(), List.of()));
    }
  }
}
