package org.trefoilfs.tools.daemon;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;

/**
 * Options of a new volume as text, by the names that {@code trefoil volume create} has for them:
 * for who has no command line that takes them apart.
 */
final class VolumeOptions {
  private static final String KNOWN =
      "replicas=1 to 7, min-in-sync=1 to the replicas, commit=sync or async, rpo=100ms to 60m,"
          + " rpo-bytes=1MiB to 1GiB";

  private final String volume;
  private final Map<String, String> left;

  private VolumeOptions(String volume, Map<String, String> options) {
    this.volume = volume;
    this.left = new TreeMap<>(options);
  }

  /** INVALID, with the option and what it takes. */
  static VolumeArgument parse(String volume, Map<String, String> options) {
    return new VolumeOptions(volume, options).parse();
  }

  private VolumeArgument parse() {
    VolumeArgument argument =
        new VolumeArgument(
            volume,
            take("replicas", VolumeOptions::number),
            take("min-in-sync", VolumeOptions::number),
            take("commit", VolumeOptions::commit),
            take("rpo", VolumeOptions::age),
            take("rpo-bytes", VolumeOptions::bytes));
    for (String unknown : left.keySet()) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume %s: there is no option '%s'; there are %s".formatted(volume, unknown, KNOWN));
    }
    return argument;
  }

  private <T> @Nullable T take(String option, Function<String, T> parser) {
    String value = left.remove(option);
    if (value == null) {
      return null;
    }
    try {
      return parser.apply(value);
    } catch (TrefoilException e) {
      String message = "volume %s: %s: %s".formatted(volume, option, e.getMessage());
      throw new TrefoilException(Reason.INVALID, message, e);
    }
  }

  /** Its bounds are checked with those of the cluster. */
  private static Integer number(String value) {
    try {
      return Integer.valueOf(value);
    } catch (NumberFormatException e) {
      throw new TrefoilException(
          Reason.INVALID, "'" + value + "' is not a number; give one from 1 to 7", e);
    }
  }

  private static CommitMode commit(String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "sync" -> CommitMode.SYNC;
      case "async" -> CommitMode.ASYNC;
      default ->
          throw new TrefoilException(
              Reason.INVALID, "'" + value + "' is not a way to commit; give sync or async");
    };
  }

  private static Long age(String value) {
    Duration age = Durations.parse(value);
    return new SpoolLimits(age, SpoolLimits.DEFAULT.bytes()).age().toMillis();
  }

  private static Long bytes(String value) {
    return new SpoolLimits(SpoolLimits.DEFAULT.age(), ByteSizes.parse(value)).bytes();
  }

  /** EXISTS when the volume is otherwise than it is wanted; what is not said is as it is. */
  static void checkSame(VolumeArgument wanted, VolumeInfo present) {
    String volume = present.name();
    checkSame(volume, "replicas", wanted.replicas(), present.replicas());
    checkSame(volume, "min-in-sync", wanted.minInSync(), present.minInSync());
    checkSame(volume, "commit", wanted.commit(), present.commit());
    checkSame(volume, "rpo in ms", wanted.rpoMillis(), present.rpo().age().toMillis());
    checkSame(volume, "rpo-bytes", wanted.rpoBytes(), present.rpo().bytes());
  }

  private static void checkSame(
      String volume, String option, @Nullable Object wanted, Object present) {
    if (wanted != null && !wanted.equals(present)) {
      throw new TrefoilException(
          Reason.EXISTS,
          "volume %s: exists with %s %s, not %s; leave the option out to use it, or choose another name"
              .formatted(volume, option, text(present), text(wanted)));
    }
  }

  private static String text(Object value) {
    return value.toString().toLowerCase(Locale.ROOT);
  }
}
