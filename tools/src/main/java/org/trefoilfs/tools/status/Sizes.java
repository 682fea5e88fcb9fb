package org.trefoilfs.tools.status;

import java.util.Locale;

/** Amounts as people read them. */
public final class Sizes {
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  private static final int STEP = 1024;
  private static final int SECONDS_PER_MINUTE = 60;
  private static final int MINUTES_PER_HOUR = 60;

  private Sizes() {}

  /** Such as {@code 1.5 GiB}; {@code ?} for a negative amount, which means unknown. */
  public static String bytes(long bytes) {
    if (bytes < 0) {
      return "?";
    }
    double amount = bytes;
    int unit = 0;
    while (amount >= STEP && unit < UNITS.length - 1) {
      amount /= STEP;
      unit++;
    }
    return unit == 0
        ? bytes + " B"
        : String.format(Locale.ROOT, amount < 10 ? "%.1f %s" : "%.0f %s", amount, UNITS[unit]);
  }

  public static String count(long count) {
    return count < 0 ? "?" : Long.toString(count);
  }

  /** Such as {@code 0.35 s}; minutes and more as whole seconds; {@code ?} when negative. */
  public static String seconds(double seconds) {
    return seconds < 0 || seconds >= SECONDS_PER_MINUTE
        ? seconds((long) seconds)
        : String.format(Locale.ROOT, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  }

  /** Such as {@code 3 min 20 s}; {@code ?} when negative. */
  public static String seconds(long seconds) {
    if (seconds < 0) {
      return "?";
    }
    long minutes = seconds / SECONDS_PER_MINUTE;
    if (minutes == 0) {
      return seconds + " s";
    }
    return minutes < MINUTES_PER_HOUR
        ? minutes + " min " + seconds % SECONDS_PER_MINUTE + " s"
        : minutes / MINUTES_PER_HOUR + " h " + minutes % MINUTES_PER_HOUR + " min";
  }
}
