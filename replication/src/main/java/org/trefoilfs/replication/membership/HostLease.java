package org.trefoilfs.replication.membership;

import java.time.Duration;

/**
 * A host's own permission to serve as a member: for {@link #length} from the SENDING of the newest
 * heartbeat that the leader granted, by the host's own clock. {@link FailureDetector} says why no
 * leader declares the host lost before that.
 *
 * <p>The lease speaks of the host's incarnation, not of one group's view. A member that was taken
 * out of an in-sync set while alive learns of it with the placement map; so call {@link #granted}
 * only once the map of the reply's epoch is applied here. Then, so long after such a change was
 * committed, the removed member either knows of it or has no lease, and the primary may complete
 * writes without it. Thread-safe.
 */
public final class HostLease {
  /** Clocks that drift apart by a tenth are broken ones. */
  private static final int DRIFT_DIVISOR = 10;

  private final long durationNanos;
  private long sent;
  private boolean everSent;
  private long granted;
  private boolean held;

  /**
   * How long a lease lasts: 3/8 of T, three beats of T/8. Shorter than T/2, because a new leader
   * waits for it before it declares anybody lost: that is the longest part of a leader's loss.
   */
  public static Duration length(Duration detection) {
    return detection.multipliedBy(3).dividedBy(8);
  }

  /** After so long a lease is over by the holder's clock, too. */
  public static Duration outlasted(Duration detection) {
    Duration length = length(detection);
    return length.plus(length.dividedBy(DRIFT_DIVISOR));
  }

  /**
   * @param detection T: after how long of silence a host is lost
   */
  public HostLease(Duration detection) {
    durationNanos = length(detection).toNanos();
  }

  /** A heartbeat is about to be sent; the time is taken before, never after. */
  public synchronized void sent(long nanos) {
    if (!everSent || nanos - sent > 0) {
      sent = nanos;
      everSent = true;
    }
  }

  /**
   * The leader granted the heartbeat that was sent then. An older one than the newest, or one that
   * was never sent, changes nothing.
   */
  public synchronized void granted(long sentNanos) {
    boolean known = everSent && sentNanos - sent <= 0;
    if (known && (!held || sentNanos - granted > 0)) {
      granted = sentNanos;
      held = true;
    }
  }

  /** The host was declared lost, or stops: nothing is valid until a later heartbeat is granted. */
  public synchronized void drop() {
    held = false;
  }

  /** Whether the host may serve at this moment. Ask again after anything that takes time. */
  public synchronized boolean valid(long nowNanos) {
    return held && nowNanos - granted < durationNanos;
  }

  /** Nanoseconds left, 0 or above. */
  public synchronized long remaining(long nowNanos) {
    return held ? Math.max(0, durationNanos - (nowNanos - granted)) : 0;
  }
}
