package org.trefoilfs.replication.heal;

/**
 * Lets bytes through at a rate. Who asks is told how long to wait, in the order of asking: nobody
 * starves, and a request larger than the bucket waits longer. What may go in a window of t seconds
 * is at most {@code rate * t}, the bucket's size, and what was given back. Thread-safe; no clock of
 * its own: times are those of one {@code TimeSource.nanoTime}.
 */
public final class TokenBucket {
  /** The bucket holds what flows in so long: short, so that even a burst delays nobody for long. */
  static final long BURST_NANOS = 250_000_000L;

  private static final double NANOS_PER_SECOND = 1e9;

  private final long bytesPerSecond;

  /** When all that was let through so far is paid for. */
  private long paidAt;

  /**
   * @param bytesPerSecond above zero
   */
  public TokenBucket(long bytesPerSecond, long nowNanos) {
    if (bytesPerSecond <= 0) {
      throw new IllegalArgumentException("a rate of " + bytesPerSecond + " bytes per second");
    }
    this.bytesPerSecond = bytesPerSecond;
    paidAt = nowNanos - BURST_NANOS;
  }

  /**
   * @return nanoseconds until the bytes may go; zero or less: at once
   */
  public synchronized long take(long bytes, long nowNanos) {
    long full = nowNanos - BURST_NANOS;
    if (paidAt - full < 0) {
      paidAt = full;
    }
    paidAt += nanos(bytes);
    return paidAt - nowNanos;
  }

  /** Of what was taken, so much was not used; what was used beyond it, if negative. */
  public synchronized void giveBack(long bytes) {
    paidAt -= nanos(bytes);
  }

  private long nanos(long bytes) {
    return Math.round(bytes * NANOS_PER_SECOND / bytesPerSecond);
  }
}
