package org.trefoilfs.replication.statelog.ratis;

import java.util.concurrent.TimeoutException;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.RaftException;
import org.apache.ratis.protocol.exceptions.ReadIndexException;
import org.apache.ratis.util.JavaUtils;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Ratis' failures in this program's words. */
final class Failures {
  private Failures() {}

  /** What the reply or exception of a request says went wrong; null when it succeeded. */
  static @Nullable Throwable of(@Nullable RaftClientReply reply, @Nullable Throwable thrown) {
    if (thrown != null) {
      return JavaUtils.unwrapCompletionException(thrown);
    }
    if (reply == null) {
      return new RaftException("no reply");
    }
    if (reply.isSuccess()) {
      return null;
    }
    return reply.getException() != null ? reply.getException() : new RaftException("no success");
  }

  /** Of something that reached the log: it may still be committed, by this leader or the next. */
  static TrefoilException unknown(String what, Throwable cause) {
    return new TrefoilException(
        Reason.OUTCOME_UNKNOWN,
        what
            + " is in the log, but whether it is committed is unknown: "
            + text(cause)
            + "; send it again under the same operation id",
        cause);
  }

  /** Of something that took effect, while others may still be shown what was before. */
  static TrefoilException unknownToSome(Throwable cause) {
    return new TrefoilException(
        Reason.OUTCOME_UNKNOWN,
        "the command was applied, but not everybody knows that: " + text(cause),
        cause);
  }

  /** Of something that certainly had no effect. */
  static TrefoilException nothingDone(String what, Throwable cause) {
    boolean elsewhere =
        cause instanceof NotLeaderException
            || cause instanceof ReadIndexException
            || cause instanceof UnsupportedOperationException;
    return new TrefoilException(
        elsewhere ? Reason.NOT_LEADER : Reason.UNAVAILABLE,
        what + " was not accepted here: " + text(cause) + "; ask the leader, or try again",
        cause);
  }

  private static String text(Throwable cause) {
    if (cause instanceof TimeoutException) {
      return "no majority answered in time";
    }
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
