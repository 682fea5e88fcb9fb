package org.trefoilfs.replication.statelog;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.lease.LeasedReply;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/** Answers other hosts' commands and queries from this host's replica. */
public final class StateLogService {
  private final LocalStateLog log;
  private final Function<HostId, Optional<Address>> addressOf;

  /**
   * @param addressOf where a host serves this program's protocol, for hints
   */
  public StateLogService(LocalStateLog log, Function<HostId, Optional<Address>> addressOf) {
    this.log = log;
    this.addressOf = addressOf;
  }

  /** Answers what a state log is asked; refuses anything else. */
  public void handle(Message request, Transport.Reply reply) {
    CompletableFuture<byte[]> answer;
    try {
      answer =
          switch (request) {
            case Message.StateSubmit(byte module, byte[] command) -> log.submit(module, command);
            case Message.StateQuery(byte module, byte[] query) -> log.query(module, query);
            case Message.StateLease(byte module, long session, boolean wanted, byte[] query) ->
                log.lease(module, query, session, wanted).thenApply(LeasedReply::toBytes);
            case Message.StateKeepLeases(byte[] report) ->
                log.keepLeases(LeaseReport.of(report)).thenApply(LeaseNews::toBytes);
            default ->
                throw new TrefoilException(Reason.INVALID, "not for the state log: " + request);
          };
    } catch (TrefoilException e) {
      answer = CompletableFuture.failedFuture(e);
    }
    CompletableFuture<byte[]> _ =
        answer.whenComplete((bytes, failure) -> reply.send(message(bytes, failure)));
  }

  private Message message(byte @Nullable [] bytes, @Nullable Throwable failure) {
    if (bytes != null) {
      return new Message.StateReply(bytes);
    }
    TrefoilException known = TrefoilException.of(failure == null ? new Throwable() : failure);
    String text = known.getMessage() == null ? "" : known.getMessage();
    return new Message.Failed(
        known.reason(), text, known.reason() == Reason.NOT_LEADER ? hint() : "");
  }

  private String hint() {
    return log.leader().flatMap(addressOf).map(Address::toString).orElse("");
  }
}
