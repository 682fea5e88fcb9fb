package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Limits;
import org.trefoilfs.mount.namespace.LockStatus;
import org.trefoilfs.mount.namespace.Locks;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * The requests of this mount that wait for locks. The namespace grants them; one question every few
 * milliseconds, for all of them, finds out which.
 */
final class LockWaiters {
  private static final Logger log = LoggerFactory.getLogger(LockWaiters.class);

  /** How late a lock is noticed that has not been waited for long; later an eighth of the wait. */
  private static final Duration POLL = Duration.ofMillis(10);

  /** What waits for minutes may as well wait so long. */
  private static final Duration SLOWEST_POLL = Duration.ofMillis(100);

  /**
   * How long a request lets others that merely wait go first, before it asks to be let past them:
   * it may hold what they wait for by other ways than locks, as a script does whose child takes the
   * shared lock that the script has. Doubled each time, so that nobody is overtaken for ever.
   */
  private static final Duration TURN = Duration.ofSeconds(1);

  private static final int LONGEST_TURN = 6;

  private final MountLocks locks;
  private final TimeSource time;
  private final Map<Long, Waiter> waiters = new ConcurrentHashMap<>();
  private final AtomicBoolean polling = new AtomicBoolean();

  /** Where a full answer ended: the next one begins there. */
  private volatile long after;

  private static final class Waiter {
    final PendingLock lock;
    final Locks at;
    final long since;
    long turnEnds;
    int turns;

    Waiter(PendingLock lock, Locks at, long since) {
      this.lock = lock;
      this.at = at;
      this.since = since;
      this.turnEnds = since + TURN.toNanos();
    }
  }

  LockWaiters(MountLocks locks, TimeSource time) {
    this.locks = locks;
    this.time = time;
  }

  void add(PendingLock lock, Locks at) {
    waiters.put(lock.ticket(), new Waiter(lock, at, time.nanoTime()));
    pollLater();
  }

  /** Where it waited; null when it does not, or somebody else has just taken it out. */
  @Nullable Locks remove(PendingLock lock) {
    Waiter waiter = waiters.remove(lock.ticket());
    return waiter == null ? null : waiter.at;
  }

  List<PendingLock> all() {
    return waiters.values().stream().map(waiter -> waiter.lock).toList();
  }

  private void pollLater() {
    if (!waiters.isEmpty() && polling.compareAndSet(false, true)) {
      locks.later(pause(), this::round);
    }
  }

  private Duration pause() {
    long youngest = Long.MAX_VALUE;
    long now = time.nanoTime();
    for (Waiter waiter : waiters.values()) {
      youngest = Math.min(youngest, now - waiter.since);
    }
    long nanos = Math.clamp(youngest / 8, POLL.toNanos(), SLOWEST_POLL.toNanos());
    return Duration.ofNanos(nanos);
  }

  private void round() {
    polling.set(false);
    try {
      overtake();
      poll();
    } finally {
      pollLater();
    }
  }

  /** Asks now, as this mount has just let something go. */
  void poll() {
    if (waiters.isEmpty()) {
      return;
    }
    // The answer tells only of those that waited before the question, in no later session.
    List<Waiter> asked = List.copyOf(waiters.values());
    Locks at = locks.current();
    long from = after;
    at.waiting(from)
        .whenComplete(
            (tickets, failure) -> {
              if (tickets != null) {
                answered(asked, at, from, tickets);
              } else {
                failed(asked, at, failure);
              }
            });
  }

  private void answered(List<Waiter> asked, Locks at, long from, List<Long> tickets) {
    long upTo = tickets.size() < Limits.BATCH ? Long.MAX_VALUE : tickets.getLast();
    after = upTo == Long.MAX_VALUE ? 0 : upTo;
    Set<Long> waiting = new HashSet<>(tickets);
    for (Waiter waiter : asked) {
      long ticket = waiter.lock.ticket();
      if (waiter.at.session() != at.session()) {
        again(waiter);
      } else if (ticket > from && ticket <= upTo && !waiting.contains(ticket)) {
        granted(waiter);
      }
    }
  }

  private void granted(Waiter waiter) {
    if (waiters.remove(waiter.lock.ticket(), waiter)) {
      waiter.lock.granted(waiter.at);
    }
  }

  private void failed(List<Waiter> asked, Locks at, @Nullable Throwable failure) {
    if (failure != null && TrefoilException.of(failure).reason() == Reason.STALE) {
      asked.stream().filter(waiter -> waiter.at.session() == at.session()).forEach(this::again);
    } else {
      log.debug("who waits for locks could not be asked", failure);
    }
  }

  /** Its session is over; it waits on in the next one. */
  private void again(Waiter waiter) {
    if (waiters.remove(waiter.lock.ticket(), waiter)) {
      locks.later(MountLocks.RETRY, waiter.lock::ask);
    }
  }

  private void overtake() {
    long now = time.nanoTime();
    for (Waiter waiter : waiters.values()) {
      if (now - waiter.turnEnds >= 0) {
        waiter.turns++;
        waiter.turnEnds = now + (TURN.toNanos() << Math.min(waiter.turns, LONGEST_TURN));
        waiter
            .at
            .overtake(waiter.lock.key().inode(), waiter.lock.ticket(), waiter.turns)
            .whenComplete(
                (status, failure) -> {
                  if (status == LockStatus.HELD) {
                    granted(waiter);
                  }
                });
      }
    }
  }
}
