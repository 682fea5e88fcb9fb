package org.trefoilfs.replication;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An operation that failed for a {@link Reason}. The message names the thing, the reason and the
 * remedy, in a sentence that can be shown to an operator as it is.
 */
public final class TrefoilException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final Reason reason;
  private final @Nullable String hint;

  public TrefoilException(Reason reason, String message) {
    this(reason, message, null, null);
  }

  public TrefoilException(Reason reason, String message, Throwable cause) {
    this(reason, message, cause, null);
  }

  private TrefoilException(
      Reason reason, String message, @Nullable Throwable cause, @Nullable String hint) {
    super(message, cause);
    this.reason = Objects.requireNonNull(reason);
    this.hint = hint;
  }

  /** A failure that names a host to ask instead, as {@code ADDRESS:PORT}. */
  public static TrefoilException withHint(Reason reason, String message, String hint) {
    return new TrefoilException(reason, message, null, hint.isEmpty() ? null : hint);
  }

  public Reason reason() {
    return reason;
  }

  /** The host to ask instead, as {@code ADDRESS:PORT}, when the one that failed knew it. */
  public Optional<String> hint() {
    return Optional.ofNullable(hint);
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
