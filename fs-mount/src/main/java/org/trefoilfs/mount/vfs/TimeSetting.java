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
  record At(long nanos) implements TimeSetting {}

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
