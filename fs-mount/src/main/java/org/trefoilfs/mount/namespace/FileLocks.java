package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.trefoilfs.replication.Reason;

/**
 * The locks of one inode, and who waits for them, oldest first; without rows, clock or session. An
 * owner's ranges are disjoint, and those of one type do not touch.
 *
 * <p>Who waits comes before who asks later, unless it waits for a lock of that very owner: then
 * each would wait for the other.
 */
final class FileLocks {
  private final List<HeldLock> held;
  private final List<LockWait> waiting;

  FileLocks(List<HeldLock> held, List<LockWait> waiting) {
    this.held = new ArrayList<>(held);
    this.waiting = new ArrayList<>(waiting);
  }

  List<HeldLock> held() {
    return held;
  }

  List<LockWait> waiting() {
    return waiting;
  }

  boolean isEmpty() {
    return held.isEmpty() && waiting.isEmpty();
  }

  /** Somebody else's lock that keeps the owner from this one. */
  Optional<HeldLock> blocker(HeldLock wanted) {
    return held.stream().filter(wanted::conflicts).findFirst();
  }

  /** What the owner has of the file, in pieces. */
  List<HeldLock> of(LockOwner owner) {
    return held.stream().filter(lock -> lock.owner().equals(owner)).toList();
  }

  /** Who comes before a request, of those that wait already. */
  List<LockWait> before(HeldLock wanted) {
    return firstOf(waiting, wanted);
  }

  private List<LockWait> before(LockWait wait) {
    return firstOf(waiting.subList(0, waiting.indexOf(wait)), wait.wanted());
  }

  private List<LockWait> firstOf(List<LockWait> earlier, HeldLock wanted) {
    if (earlier.isEmpty()) {
      return List.of();
    }
    List<HeldLock> own = of(wanted.owner());
    return earlier.stream()
        .filter(ahead -> ahead.wanted().conflicts(wanted))
        .filter(ahead -> own.stream().noneMatch(ahead.wanted()::conflicts))
        .toList();
  }

  /**
   * The owner gets the lock: in place of what it had there of another type, and as one with what it
   * had of the same. Refuses with NO_LOCKS.
   */
  void take(HeldLock lock) {
    become(with(lock));
  }

  private List<HeldLock> with(HeldLock lock) {
    List<HeldLock> next = new ArrayList<>(held.size() + 2);
    LockRange range = lock.range();
    for (HeldLock other : held) {
      if (!other.owner().equals(lock.owner())) {
        next.add(other);
      } else if (other.type() == lock.type() && other.range().touches(lock.range())) {
        range = range.spanning(other.range());
      } else {
        next.addAll(other.without(lock.range()));
      }
    }
    next.add(lock.over(range));
    return next;
  }

  /** The owner lets the range go. Refuses with NO_LOCKS when that would leave too many pieces. */
  void release(LockOwner owner, LockRange range) {
    List<HeldLock> next = new ArrayList<>(held.size() + 1);
    for (HeldLock lock : held) {
      if (lock.owner().equals(owner)) {
        next.addAll(lock.without(range));
      } else {
        next.add(lock);
      }
    }
    become(next);
  }

  private void become(List<HeldLock> next) {
    Refusal.when(next.size() > Limits.LOCKS && next.size() > held.size(), Reason.NO_LOCKS);
    held.clear();
    held.addAll(next);
  }

  /** Refuses with NO_LOCKS when too many wait. */
  void await(LockWait wait) {
    Refusal.when(waiting.size() >= Limits.LOCK_WAITS, Reason.NO_LOCKS);
    waiting.add(wait);
  }

  Optional<LockWait> wait(long session, long ticket) {
    return waiting.stream().filter(wait -> wait.is(session, ticket)).findFirst();
  }

  void withdraw(LockWait wait) {
    waiting.remove(wait);
  }

  /** The session goes on with what an earlier one holds; who waits in that one will ask again. */
  void inherit(long from, long to) {
    waiting.removeIf(wait -> wait.wanted().owner().session() == from);
    held.replaceAll(lock -> lock.owner().session() == from ? lock.in(to) : lock);
  }

  /** Whatever these owners hold or wait for goes. */
  void drop(Predicate<LockOwner> owners) {
    held.removeIf(lock -> owners.test(lock.owner()));
    waiting.removeIf(wait -> owners.test(wait.wanted().owner()));
  }

  /**
   * Gives those that wait what they can have now, in their order; anew after each round, as nobody
   * who has got something waits any more for who waits for that.
   */
  void grant() {
    boolean again = true;
    while (again) {
      again = false;
      for (LockWait wait : List.copyOf(waiting)) {
        if (blocker(wait.wanted()).isEmpty() && before(wait).isEmpty()) {
          grant(wait);
          again = true;
        }
      }
    }
  }

  /** How often those that come before it have been overtaken: the one that was it most. */
  int overtaken(LockWait wait) {
    return before(wait).stream().mapToInt(LockWait::overtaken).max().orElse(0);
  }

  /** Gives one the lock before its turn. */
  void overtake(LockWait wait) {
    for (LockWait ahead : before(wait)) {
      waiting.set(waiting.indexOf(ahead), ahead.passed());
    }
    grant(wait);
  }

  /** How many wait is limited, so what they add is. */
  private void grant(LockWait wait) {
    waiting.remove(wait);
    List<HeldLock> next = with(wait.wanted());
    held.clear();
    held.addAll(next);
  }
}
