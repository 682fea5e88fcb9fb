package org.trefoilfs.mount.namespace;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;

/** The way of one session's operations and queries on one volume to the state log. Thread-safe. */
final class SessionLog {
  private final StateLog log;
  private final int volume;
  private final long session;
  private final TimeSource time;
  private final OperationNumbers numbers;
  private final LookupCache cache;
  private final LeaseKeeper keeper;

  /**
   * @param cache that remembers what is asked with {@link #lookup} and {@link #list}
   */
  SessionLog(
      StateLog log, int volume, long session, TimeSource time, long first, LookupCache cache) {
    this.log = log;
    this.volume = volume;
    this.session = session;
    this.time = time;
    this.numbers = new OperationNumbers(first);
    this.cache = cache;
    this.keeper = new LeaseKeeper(this, cache, time);
    cache.startOver(0);
  }

  /** No leases are kept any more. */
  void close() {
    keeper.close();
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
          .thenApply(reply -> changed(reply, null, read, what));
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
        .handle((reply, failure) -> changed(reply, failure, read, what));
  }

  /** What the command changed is forgotten before anybody has its reply. */
  private <T extends @Nullable Object> T changed(
      byte @Nullable [] bytes,
      @Nullable Throwable failure,
      Function<Reply, T> read,
      Supplier<String> what) {
    if (bytes == null) {
      throw Failures.of(what.get(), failure);
    }
    ByteReader in = new ByteReader(bytes);
    Reply reply = Reply.read(in);
    cache.changed(Changes.behind(in));
    return read(reply, read, what);
  }

  /** What is at a place, as the mount remembers it or the state log says. */
  CompletableFuture<Attributes> lookup(Location at, Supplier<String> what) {
    LookupCache.Remembered known = cache.find(at);
    if (known != null) {
      keeper.wanted();
      return known.attributes() != null
          ? CompletableFuture.completedFuture(known.attributes())
          : CompletableFuture.failedFuture(Failures.of(what.get(), Reason.NOT_FOUND));
    }
    Query query = new Query.Lookup(volume, at);
    return lease(
        query,
        cache.wants(at),
        (reply, asked, under) -> {
          if (reply instanceof Reply.Found(Attributes found)) {
            cache.found(asked, under, at, found);
          } else if (reply instanceof Reply.Failed(Reason why) && why == Reason.NOT_FOUND) {
            cache.found(asked, under, at, null);
          }
          return read(reply, SessionLog::attributes, what);
        },
        what);
  }

  /** Entries of a directory; each of them is remembered. */
  CompletableFuture<List<Dentry>> list(
      long directory, byte[] after, int limit, Supplier<String> what) {
    Query query = new Query.ListEntries(volume, directory, after, limit);
    Function<Reply, List<Dentry>> entries = reply -> ((Reply.Entries) reply).entries();
    return lease(
        query,
        cache.wants(Location.of(directory)),
        (reply, asked, under) -> {
          List<Dentry> found = read(reply, entries, what);
          for (Dentry entry : found) {
            cache.found(asked, under, Location.of(directory, entry.name()), entry.attributes());
          }
          return found;
        },
        what);
  }

  private interface Leased<T> {
    /**
     * @param asked as of {@link LookupCache#found}, and the next
     */
    T read(Reply reply, long asked, long under);
  }

  private <T> CompletableFuture<T> lease(
      Query query, boolean wanted, Leased<T> read, Supplier<String> what) {
    if (wanted) {
      keeper.wanted();
    }
    long asked = cache.asks();
    return log.lease(NamespaceModule.ID, query.toBytes(), session, wanted)
        .handle(
            (leased, failure) -> {
              if (leased == null) {
                throw Failures.of(what.get(), failure);
              }
              return read.read(Reply.of(leased.reply()), asked, leased.generation());
            });
  }

  LeaseReport report(long number, List<Long> acknowledged, List<Long> released) {
    long oldest = numbers.oldestPending();
    return new LeaseReport(session, cache.generation(), number, oldest, acknowledged, released);
  }

  CompletableFuture<LeaseNews> keepLeases(LeaseReport report) {
    return log.keepLeases(report);
  }

  private static Attributes attributes(Reply reply) {
    return ((Reply.Found) reply).attributes();
  }

  <T> CompletableFuture<T> ask(Query query, Function<Reply, T> read, Supplier<String> what) {
    return lease(query, false, (reply, asked, under) -> read(reply, read, what), what);
  }

  private static <T extends @Nullable Object> T read(
      byte @Nullable [] bytes,
      @Nullable Throwable failure,
      Function<Reply, T> read,
      Supplier<String> what) {
    if (bytes == null) {
      throw Failures.of(what.get(), failure);
    }
    return read(Reply.of(bytes), read, what);
  }

  private static <T extends @Nullable Object> T read(
      Reply reply, Function<Reply, T> read, Supplier<String> what) {
    if (reply instanceof Reply.Failed failed) {
      throw Failures.of(what.get(), failed.reason());
    }
    return read.apply(reply);
  }
}
