package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.heal.TokenBucket;

/**
 * Holds a joiner's copying back: to a rate that all its groups share, and further while this host's
 * disk has a lot to do with what is being written. Users' writes go first.
 */
final class Pace {
  /** Between two looks at what is waited for: delays a fetch by less than its transfer takes. */
  private static final long LOOK_NANOS = 20_000_000L;

  /**
   * A fetch yields to a busy disk for so long at most: a host that is always busy must catch up,
   * too.
   */
  private static final Duration YIELD = Duration.ofSeconds(1);

  private final Optional<TokenBucket> bucket;
  private final TimeSource time;
  private final BooleanSupplier busy;

  /**
   * @param bytesPerSecond 0: no limit
   * @param busy whether the disk has much to do
   */
  Pace(long bytesPerSecond, TimeSource time, BooleanSupplier busy) {
    bucket =
        bytesPerSecond == 0
            ? Optional.empty()
            : Optional.of(new TokenBucket(bytesPerSecond, time.nanoTime()));
    this.time = time;
    this.busy = busy;
  }

  /** Returns when so many bytes may be fetched, or {@code wanted} no longer holds. */
  void await(long bytes, BooleanSupplier wanted) {
    long yieldUntil = time.nanoTime() + YIELD.toNanos();
    pauseUntil(yieldUntil, () -> busy.getAsBoolean() && wanted.getAsBoolean());
    if (bucket.isPresent()) {
      long now = time.nanoTime();
      pauseUntil(now + bucket.get().take(bytes, now), wanted);
    }
  }

  private void pauseUntil(long due, BooleanSupplier condition) {
    for (long left = due - time.nanoTime();
        left > 0 && condition.getAsBoolean();
        left = due - time.nanoTime()) {
      LockSupport.parkNanos(Math.min(left, LOOK_NANOS));
    }
  }

  /** It was awaited for {@code expected} bytes, and took {@code copied}. */
  void settle(long expected, long copied) {
    bucket.ifPresent(tokens -> tokens.giveBack(expected - copied));
  }
}
