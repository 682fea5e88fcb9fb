package org.trefoilfs.tools.acceptance;

/**
 * How much the acceptance tests do: moderate unless {@code TREFOIL_ACCEPTANCE=full} is set in the
 * environment, or {@code -Dtrefoil.acceptance=full} for Maven.
 *
 * @param treeFiles real files in {@link TreeCopyTest}
 * @param killFiles real files in each copy of {@link KillTest}, and in {@link RestartAllTest}
 * @param fioMegabytes that fio writes, in each mode
 * @param powerRounds losses of power in each mode of {@link PowerLossTest}: of one host, of two and
 *     of all in turn, from any of these on
 */
record Sizes(int treeFiles, int killFiles, int fioMegabytes, int powerRounds) {
  private static final Sizes MODERATE = new Sizes(3_000, 700, 32, 1);
  private static final Sizes FULL = new Sizes(20_000, 6_000, 256, 60);

  static Sizes chosen() {
    String wanted =
        System.getProperty(
            "trefoil.acceptance", System.getenv().getOrDefault("TREFOIL_ACCEPTANCE", ""));
    return wanted.equals("full") ? FULL : MODERATE;
  }
}
