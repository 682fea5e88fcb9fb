package org.trefoilfs.replication.heal;

import java.util.Arrays;

/** Bytes per second over the last ten seconds. The caller serializes calls. */
final class RecentRate {
  private static final long BUCKET_NANOS = 250_000_000L;

  /** Ten seconds: at the slowest rate that can be set, two whole chunks come in them. */
  private static final int BUCKETS = 40;

  private static final double NANOS_PER_SECOND = 1e9;

  private final long[] buckets = new long[BUCKETS];
  private long begun;
  private long newest;

  RecentRate(long nowNanos) {
    begun = nowNanos;
    newest = bucket(nowNanos);
  }

  void note(long bytes, long nowNanos) {
    turn(nowNanos);
    buckets[Math.floorMod(newest, BUCKETS)] += bytes;
  }

  /** Since the beginning, as long as that is not ten seconds ago. */
  long perSecond(long nowNanos) {
    turn(nowNanos);
    long oldest = (newest - BUCKETS + 1) * BUCKET_NANOS;
    long covered = Math.min(nowNanos - oldest, nowNanos - begun);
    long bytes = Arrays.stream(buckets).sum();
    return Math.round(bytes * NANOS_PER_SECOND / Math.max(covered, BUCKET_NANOS));
  }

  private static long bucket(long nowNanos) {
    return Math.floorDiv(nowNanos, BUCKET_NANOS);
  }

  /** Empties the buckets that have come round again. */
  private void turn(long nowNanos) {
    long now = bucket(nowNanos);
    for (long each = Math.max(newest, now - BUCKETS) + 1; each <= now; each++) {
      buckets[Math.floorMod(each, BUCKETS)] = 0;
    }
    newest = Math.max(newest, now);
  }
}
