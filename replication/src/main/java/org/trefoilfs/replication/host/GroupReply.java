package org.trefoilfs.replication.host;

import java.util.function.BooleanSupplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * A group's answer to those outside. That this host's disk has failed is not for them to suffer:
 * other members hold the group, and take over. So such a failure goes out as an unknown outcome,
 * which is asked for again, and not as an error of the data.
 *
 * @param fenced whether this host's disk has failed
 */
record GroupReply(Transport.Reply to, BooleanSupplier fenced) implements Transport.Reply {
  @Override
  public void send(Message answer) {
    to.send(
        answer instanceof Message.Failed(Reason reason, String message, String hint)
                && isDisks(reason)
            ? new Message.Failed(Reason.OUTCOME_UNKNOWN, message, hint)
            : answer);
  }

  /** The same of what a request is refused with at once. */
  TrefoilException refusal(TrefoilException why) {
    return isDisks(why.reason())
        ? new TrefoilException(Reason.OUTCOME_UNKNOWN, String.valueOf(why.getMessage()), why)
        : why;
  }

  private boolean isDisks(Reason reason) {
    return reason == Reason.IO && fenced.getAsBoolean();
  }
}
