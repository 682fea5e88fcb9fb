package org.trefoilfs.tools.daemon;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Durations as people write them: {@code 500ms}, {@code 30s}, {@code 2m}. */
public final class Durations {
  private static final Pattern SYNTAX = Pattern.compile("([0-9]{1,6})(ms|s|m)");

  private Durations() {}

  public static Duration parse(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches() || Long.parseLong(matcher.group(1)) == 0) {
      throw new TrefoilException(
          Reason.INVALID, "'" + text + "' is not a duration; write it as 500ms, 30s or 2m");
    }
    long amount = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      default -> Duration.ofMinutes(amount);
    };
  }
}
