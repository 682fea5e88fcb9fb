package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.trefoilfs.replication.env.TimeSource;

/**
 * Which mounts live, by their pings to the state log's leader; kept in its memory alone. A mount's
 * own lease is {@link #LEASE} from the sending of a ping that was answered; a session expires a
 * margin later, counted from the receipt or, if that is later, from when this leader's term began.
 * The reasoning is that of {@link FailureDetector}. Thread-safe.
 */
public final class SessionTable {
  /** How long a mount may rely on leases and caches after its last answered ping was sent. */
  public static final Duration LEASE = Duration.ofSeconds(10);

  /** For drift of clocks over one lease: 5 %. */
  static final Duration MARGIN = Duration.ofMillis(500);

  /** Pings come every second or so; a leader that did not look for this long was asleep itself. */
  private static final Duration STALL = Duration.ofSeconds(3);

  private final TimeSource time;
  private final AttentiveClock attention;
  private final Map<Long, Ping> pings = new HashMap<>();

  /**
   * From when the silence of a session counts that has not pinged this leader yet: of one that was
   * there before, from the beginning of the term; of a new one, from when it was first seen.
   */
  private final Map<Long, Long> noticed = new HashMap<>();

  private final Set<Long> condemned = new HashSet<>();
  private boolean leading;
  private long lookedNanos;

  private record Ping(long nanos, long orphanCursor) {}

  public SessionTable(TimeSource time) {
    this.time = time;
    attention = new AttentiveClock(STALL.toNanos(), time.nanoTime());
  }

  /** This host leads the state log, and has applied the first entry of its own term. */
  public synchronized void startLeading() {
    leading = true;
    pings.clear();
    noticed.clear();
    condemned.clear();
    lookedNanos = time.nanoTime();
    attention.restart(lookedNanos);
  }

  public synchronized void stopLeading() {
    leading = false;
  }

  /**
   * A ping of a session that the cluster's view lists.
   *
   * @param orphanCursor up to where the mount has released orphans
   * @return whether the lease goes on; not so once {@link #expired} named the session, nor when
   *     this host does not lead
   */
  public synchronized boolean pinged(long session, long orphanCursor) {
    if (!leading || condemned.contains(session)) {
      return false;
    }
    pings.put(session, new Ping(time.nanoTime(), orphanCursor));
    return true;
  }

  /** Those of the sessions to evict now. Each stays named until it is no longer listed. */
  public synchronized List<Long> expired(Collection<Long> liveSessions) {
    long now = time.nanoTime();
    attention.tick(now);
    Set<Long> live = Set.copyOf(liveSessions);
    pings.keySet().retainAll(live);
    noticed.keySet().retainAll(live);
    condemned.retainAll(live);
    List<Long> expired = new ArrayList<>();
    for (long session : liveSessions) {
      if (leading && (condemned.contains(session) || silence(session, now) >= limit())) {
        condemned.add(session);
        expired.add(session);
      }
    }
    lookedNanos = now;
    return expired;
  }

  /**
   * Below this, no session needs orphans: the least of their cursors. {@code Long.MIN_VALUE} while
   * one has not told this leader; {@code Long.MAX_VALUE} when there are no sessions.
   */
  public synchronized long minimumCursor(Collection<Long> liveSessions) {
    long minimum = Long.MAX_VALUE;
    for (long session : liveSessions) {
      Ping ping = pings.get(session);
      minimum = Math.min(minimum, ping == null ? Long.MIN_VALUE : ping.orphanCursor);
    }
    return minimum;
  }

  private long silence(long session, long now) {
    Ping ping = pings.get(session);
    long heard = ping == null ? noticed.computeIfAbsent(session, first -> lookedNanos) : ping.nanos;
    return attention.silence(heard, now);
  }

  private static long limit() {
    return LEASE.plus(MARGIN).toNanos();
  }
}
