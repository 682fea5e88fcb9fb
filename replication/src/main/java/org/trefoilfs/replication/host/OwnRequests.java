package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Intake;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * Requests of this process to its own host. Those with data wait for room as they would in the
 * socket of another one; then they are tried again.
 *
 * @param patience how long they wait
 */
record OwnRequests(Intake intake, Transport.Handler host, Duration patience)
    implements Transport.Handler {
  @Override
  public void handle(Message request, Transport.Reply reply) {
    Intake.Ticket ticket = intake.ask(request.lane(), bytes(request));
    if (ticket.taken().isDone()) {
      handle(ticket, request, reply);
      return;
    }
    ticket
        .taken()
        .orTimeout(patience.toNanos(), TimeUnit.NANOSECONDS)
        .whenComplete(
            (_, late) ->
                // Not on the thread that made room, which has others to let in.
                Thread.startVirtualThread(() -> goOn(ticket, late == null, request, reply)));
  }

  private void goOn(Intake.Ticket ticket, boolean taken, Message request, Transport.Reply reply) {
    try {
      if (!taken) {
        throw new TrefoilException(
            Reason.BUSY, "this host has as much to write as it can hold; the write is tried again");
      }
      handle(ticket, request, reply);
    } catch (TrefoilException e) {
      reply.send(new Message.Failed(e.reason(), String.valueOf(e.getMessage()), ""));
    }
  }

  private void handle(Intake.Ticket ticket, Message request, Transport.Reply reply) {
    try {
      host.handle(request, reply);
    } finally {
      ticket.release();
    }
  }

  private static long bytes(Message request) {
    return request instanceof Message.Write write ? write.mutation().bytes() : 0;
  }
}
