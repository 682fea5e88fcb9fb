package org.trefoilfs.mount.namespace;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Says in words what was refused and why. */
final class Failures {
  private Failures() {}

  static TrefoilException of(String what, Reason reason) {
    return new TrefoilException(reason, "cannot " + what + ": " + why(reason));
  }

  /** The state log itself failed. Of an unknown outcome it must not be said that it was not. */
  static TrefoilException of(String what, @Nullable Throwable failure) {
    if (failure == null) {
      return new TrefoilException(Reason.INTERNAL, "cannot " + what + ": empty reply");
    }
    TrefoilException cause = TrefoilException.of(failure);
    String start =
        cause.reason() == Reason.OUTCOME_UNKNOWN ? "unknown whether it was done: " : "cannot ";
    return new TrefoilException(cause.reason(), start + what + ": " + cause.getMessage(), cause);
  }

  static String text(Location at) {
    String base = "inode " + at.base();
    return at.names().isEmpty() ? base : "'" + text(at.names()) + "' in " + base;
  }

  static String text(byte[] name) {
    StringBuilder out = new StringBuilder();
    new String(name, StandardCharsets.UTF_8)
        .codePoints()
        .forEach(c -> out.appendCodePoint(Character.isISOControl(c) ? '?' : c));
    return out.toString();
  }

  private static String text(List<byte[]> names) {
    return names.stream().map(Failures::text).collect(Collectors.joining("/"));
  }

  private static String why(Reason reason) {
    return switch (reason) {
      case NOT_FOUND -> "it does not exist";
      case EXISTS -> "the name is taken";
      case NOT_EMPTY -> "the directory is not empty";
      case NOT_DIRECTORY -> "something on the way, or at the end of it, is not a directory";
      case IS_DIRECTORY -> "it is a directory";
      case NAME_TOO_LONG -> "a name or target is longer than the filesystem takes";
      case TOO_MANY_LINKS -> "it has " + Limits.LINKS + " links, which is the most";
      case TOO_LARGE -> "it would be larger than the filesystem takes";
      case NO_ATTRIBUTE -> "there is no such attribute";
      case NO_SPACE -> "the inode has " + Limits.XATTRS + " attributes, which is the most";
      case NOT_PERMITTED -> "directories get no second name";
      case BUSY -> "it is in use, as a volume's root or by an operation that is not over";
      case STALE -> "the volume was deleted or the session is over; mount it again";
      case WOULD_BLOCK -> "somebody else has it locked";
      case DEADLOCK -> "who has it locked waits, in turn, for a lock of the caller's";
      case NO_LOCKS -> "it has as many locks, or waiting for it, as are kept";
      case INVALID -> "that cannot be done with it";
      default -> reason.name();
    };
  }
}
