package org.trefoilfs.tools.daemon;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Bytes per second as people write them: {@code 200MiB}, {@code 1GiB/s}, {@code unlimited}. */
final class Rates {
  private static final Pattern SYNTAX = Pattern.compile("([1-9][0-9]{0,5})([KMG])iB(/s)?");

  private Rates() {}

  /** Bytes per second; 0 for no limit. INVALID for what is no rate. */
  static long parse(String text) {
    if (text.equals("unlimited") || text.equals("0")) {
      return 0;
    }
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      throw new TrefoilException(
          Reason.INVALID, "'" + text + "' is not a rate; write it as 200MiB, 1GiB or unlimited");
    }
    int shift =
        switch (matcher.group(2)) {
          case "K" -> 10;
          case "M" -> 20;
          default -> 30;
        };
    return Long.parseLong(matcher.group(1)) << shift;
  }
}
