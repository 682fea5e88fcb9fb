package org.trefoilfs.tools.daemon;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Sizes as people write them: {@code 4096}, {@code 512KiB}, {@code 64MiB}, {@code 2GiB}. */
public final class ByteSizes {
  private static final Pattern SYNTAX = Pattern.compile("([0-9]{1,12})(KiB|MiB|GiB)?");

  private ByteSizes() {}

  /** Bytes; INVALID, with the syntax, for anything else. */
  public static long parse(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      throw new TrefoilException(
          Reason.INVALID, "'" + text + "' is not a size; write it as 512KiB, 64MiB or 2GiB");
    }
    long amount = Long.parseLong(matcher.group(1));
    return switch (String.valueOf(matcher.group(2))) {
      case "KiB" -> amount << 10;
      case "MiB" -> amount << 20;
      case "GiB" -> amount << 30;
      default -> amount;
    };
  }
}
