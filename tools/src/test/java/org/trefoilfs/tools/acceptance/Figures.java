package org.trefoilfs.tools.acceptance;

/** Prints what was measured, so that a run leaves its figures in the log. */
final class Figures {
  private Figures() {}

  static void say(String format, Object... values) {
    System.out.println("[acceptance] " + format.formatted(values));
  }
}
