package org.trefoilfs.mount.namespace;

import org.trefoilfs.replication.Reason;

/**
 * A regular POSIX error on its way to the reply. Not a {@code TrefoilException}: the state log
 * would undo the reply cache's row with it. Without a stack trace, because negative lookups are
 * among the hottest calls.
 */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final Reason reason;

  Refusal(Reason reason) {
    super(reason.name(), null, false, false);
    this.reason = reason;
  }

  Reason reason() {
    return reason;
  }

  static void when(boolean refused, Reason reason) {
    if (refused) {
      throw new Refusal(reason);
    }
  }
}
