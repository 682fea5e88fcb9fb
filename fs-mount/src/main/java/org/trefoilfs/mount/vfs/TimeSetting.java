package org.trefoilfs.mount.vfs;

import java.util.OptionalLong;
import org.trefoilfs.replication.env.TimeSource;

/** One of the two times of utimensat(2). */
public sealed interface TimeSetting {
  /** UTIME_OMIT. */
  record Keep() implements TimeSetting {}

  /** UTIME_NOW, by this host's clock. */
  record Now() implements TimeSetting {}

  /** Nanoseconds since the epoch. */
  record At(long nanos) implements TimeSetting {
    private static final long NANOS = 1_000_000_000L;

    /** The nearest that can be kept: nanoseconds in 64 bits reach from 1677 to 2262. */
    public static At of(long seconds, long nanos) {
      // Towards zero, lest the product overflow where the sum would not.
      long carried = seconds < 0 ? 1 : 0;
      try {
        return new At(
            Math.addExact(Math.multiplyExact(seconds + carried, NANOS), nanos - carried * NANOS));
      } catch (ArithmeticException e) {
        return new At(seconds < 0 ? Long.MIN_VALUE : Long.MAX_VALUE);
      }
    }
  }

  TimeSetting KEEP = new Keep();
  TimeSetting NOW = new Now();

  default OptionalLong resolve(TimeSource time) {
    return switch (this) {
      case Keep() -> OptionalLong.empty();
      case Now() -> OptionalLong.of(time.wallNanos());
      case At(long nanos) -> OptionalLong.of(nanos);
    };
  }
}
