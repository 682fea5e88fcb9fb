package org.trefoilfs.replication.transport;

import org.trefoilfs.replication.TrefoilException;

/** Failures as they travel. */
public final class Failures {
  /** Characters of a message that are sent; more is of no use to whoever reads it. */
  private static final int MESSAGE_MAX = 4096;

  private Failures() {}

  /** The answer that carries a failure; whatever is not a {@code TrefoilException} is INTERNAL. */
  public static Message.Failed toMessage(Throwable failure) {
    TrefoilException known = TrefoilException.of(failure);
    String text = String.valueOf(known.getMessage());
    return new Message.Failed(
        known.reason(),
        text.length() > MESSAGE_MAX ? text.substring(0, MESSAGE_MAX) : text,
        known.hint().orElse(""));
  }

  public static TrefoilException toException(Message.Failed failed) {
    return TrefoilException.withHint(failed.reason(), failed.message(), failed.hint());
  }
}
