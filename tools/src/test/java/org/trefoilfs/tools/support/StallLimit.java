package org.trefoilfs.tools.support;

import java.time.Duration;

/**
 * How long a call may take while a host is lost. The promise is 5 s: failure detection, an election
 * and a view change. It is asserted with {@code TREFOIL_ACCEPTANCE=full}, on a machine that does
 * nothing else. By default a loaded machine's scheduling is allowed for, so that what fails is a
 * hang; what was measured is printed either way.
 */
public final class StallLimit {
  private static final Duration PROMISED = Duration.ofSeconds(5);
  private static final Duration LOADED = Duration.ofSeconds(20);

  private StallLimit() {}

  public static Duration chosen() {
    String wanted =
        System.getProperty(
            "trefoil.acceptance", System.getenv().getOrDefault("TREFOIL_ACCEPTANCE", ""));
    return wanted.equals("full") ? PROMISED : LOADED;
  }
}
