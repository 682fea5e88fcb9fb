package org.trefoilfs.replication.membership;

/**
 * Since when silence has been heard as silence. A leader whose process stood still (a pause of the
 * virtual machine, SIGSTOP) finds everyone silent on waking, through no fault of theirs: then it
 * counts anew. Not thread-safe.
 */
final class AttentiveClock {
  private final long stallNanos;
  private long since;
  private long lastTick;

  /**
   * @param stallNanos a longer gap between two ticks is a stall of this process
   */
  AttentiveClock(long stallNanos, long nowNanos) {
    this.stallNanos = stallNanos;
    since = nowNanos;
    lastTick = nowNanos;
  }

  void restart(long nowNanos) {
    since = nowNanos;
    lastTick = nowNanos;
  }

  /** Ticks begin again after a time without any: that gap was no stall. */
  void resume(long nowNanos) {
    lastTick = nowNanos;
  }

  void tick(long nowNanos) {
    if (nowNanos - lastTick > stallNanos) {
      since = nowNanos;
    }
    lastTick = nowNanos;
  }

  /** Nanoseconds of silence of one last heard then. */
  long silence(long heardNanos, long nowNanos) {
    return Math.min(nowNanos - heardNanos, nowNanos - since);
  }

  /** Nanoseconds of silence of one never heard. */
  long attentive(long nowNanos) {
    return nowNanos - since;
  }
}
