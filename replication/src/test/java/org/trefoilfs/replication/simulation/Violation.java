package org.trefoilfs.replication.simulation;

/** A promise or an invariant that did not hold. */
final class Violation extends AssertionError {
  private static final long serialVersionUID = 1L;

  Violation(String message) {
    super(message);
  }

  static void unless(boolean holds, String message, Object... details) {
    if (!holds) {
      throw new Violation(message.formatted(details));
    }
  }
}
