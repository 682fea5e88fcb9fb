package org.trefoilfs.replication;

import java.util.Objects;

/**
 * An operation that failed for a {@link Reason}. The message names the thing, the reason and the
 * remedy, in a sentence that can be shown to an operator as it is.
 */
public final class TrefoilException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final Reason reason;

  public TrefoilException(Reason reason, String message) {
    super(message);
    this.reason = Objects.requireNonNull(reason);
  }

  public TrefoilException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = Objects.requireNonNull(reason);
  }

  public Reason reason() {
    return reason;
  }

  /**
   * The {@code TrefoilException} inside a future's wrapper, or one with {@link Reason#INTERNAL}
   * around the failure.
   */
  public static TrefoilException of(Throwable failure) {
    Throwable cause = failure;
    while (cause != null) {
      if (cause instanceof TrefoilException known) {
        return known;
      }
      cause = cause.getCause();
    }
    return new TrefoilException(Reason.INTERNAL, "internal error: " + failure, failure);
  }
}
