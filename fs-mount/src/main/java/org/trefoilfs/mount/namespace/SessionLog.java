package org.trefoilfs.mount.namespace;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.statelog.StateLog;

/** The way of one session's operations and queries on one volume to the state log. Thread-safe. */
final class SessionLog {
  private final StateLog log;
  private final int volume;
  private final long session;
  private final TimeSource time;
  private final OperationNumbers numbers;

  SessionLog(StateLog log, int volume, long session, TimeSource time, long first) {
    this.log = log;
    this.volume = volume;
    this.session = session;
    this.time = time;
    this.numbers = new OperationNumbers(first);
  }

  CompletableFuture<Void> apply(Operation operation, Supplier<String> what) {
    return change(operation, Function.identity(), what).thenAccept(done -> {});
  }

  <T> CompletableFuture<T> change(
      Operation operation, Function<Reply, T> read, Supplier<String> what) {
    OperationNumbers.Ticket ticket;
    try {
      ticket = numbers.take();
    } catch (TrefoilException busy) {
      return CompletableFuture.failedFuture(busy);
    }
    Command command =
        new Command.Operate(
            volume,
            new OperationId(session, ticket.sequence()),
            ticket.oldestPending(),
            time.wallNanos(),
            operation);
    return log.submit(NamespaceModule.ID, command.toBytes())
        .whenComplete((reply, failure) -> numbers.done(ticket))
        .handle((reply, failure) -> read(reply, failure, read, what));
  }

  <T> CompletableFuture<T> ask(Query query, Function<Reply, T> read, Supplier<String> what) {
    return log.query(NamespaceModule.ID, query.toBytes())
        .handle((reply, failure) -> read(reply, failure, read, what));
  }

  private static <T> T read(
      byte @Nullable [] bytes,
      @Nullable Throwable failure,
      Function<Reply, T> read,
      Supplier<String> what) {
    if (bytes == null) {
      throw Failures.of(what.get(), failure);
    }
    Reply reply = Reply.of(bytes);
    if (reply instanceof Reply.Failed failed) {
      throw Failures.of(what.get(), failed.reason());
    }
    return read.apply(reply);
  }
}
