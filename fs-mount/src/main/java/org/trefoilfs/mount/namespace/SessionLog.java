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

  /** As {@link StateLogNames#takeOver}. */
  CompletableFuture<Void> takeOver(long from, ResentRequests requests) {
    return change(
        new Operation.TakeOver(from),
        Request.NONE,
        reply -> {
          for (Reply.TakenOver.Answer answer : ((Reply.TakenOver) reply).answers()) {
            OperationNumbers.Ticket filed = numbers.take();
            Reply known = Reply.of(answer.reply());
            requests.add(answer.request(), known, () -> numbers.done(filed));
          }
          return null;
        },
        () -> "take over from session " + Long.toHexString(from));
  }

  CompletableFuture<Void> applyOnce(Operation operation, Supplier<String> what) {
    return once(operation, Function.identity(), what).thenAccept(done -> {});
  }

  /** As {@link #change}, but not again for the same request of the kernel's. */
  <T> CompletableFuture<T> once(
      Operation operation, Function<Reply, T> read, Supplier<String> what) {
    Request request = Request.current();
    Reply known = request.next();
    if (known != null) {
      return CompletableFuture.completedFuture(known.toBytes())
          .thenApply(reply -> read(reply, null, read, what));
    }
    Operation asked =
        request.number() == 0 ? operation : new Operation.Requested(request.number(), operation);
    return change(asked, request, read, what);
  }

  <T> CompletableFuture<T> change(
      Operation operation, Function<Reply, T> read, Supplier<String> what) {
    return change(operation, Request.NONE, read, what);
  }

  /**
   * @param request whose answer the reply is kept for
   */
  private <T extends @Nullable Object> CompletableFuture<T> change(
      Operation operation, Request request, Function<Reply, T> read, Supplier<String> what) {
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
        .whenComplete((reply, failure) -> request.whenAnswered(() -> numbers.done(ticket)))
        .handle((reply, failure) -> read(reply, failure, read, what));
  }

  <T> CompletableFuture<T> ask(Query query, Function<Reply, T> read, Supplier<String> what) {
    return log.query(NamespaceModule.ID, query.toBytes())
        .handle((reply, failure) -> read(reply, failure, read, what));
  }

  private static <T extends @Nullable Object> T read(
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
