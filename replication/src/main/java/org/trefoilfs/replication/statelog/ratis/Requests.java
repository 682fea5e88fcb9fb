package org.trefoilfs.replication.statelog.ratis;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientAsynchronousProtocol;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Commands and reads handed to the Ratis server in this process.
 *
 * <p>Ratis answers "not leader" both to what it never accepted and to what is in its log when it
 * steps down. Only the first had certainly no effect, so each request remembers whether it was
 * appended.
 */
final class Requests {
  private static final RaftClientRequest.Type WRITE = RaftClientRequest.writeRequestType();

  /** A read that only waits for the read point; the state is then read without Ratis. */
  private static final RaftClientRequest.Type READ_POINT =
      RaftClientRequest.readRequestType(false, false, true);

  private static final CompletableFuture<@Nullable Void> NOW =
      CompletableFuture.completedFuture(null);

  private final RaftServer server;
  private final RaftGroupId group;
  private final RaftClientAsynchronousProtocol entrance;
  private final Duration timeout;
  private final ClientId client = ClientId.randomId();
  private final AtomicLong nextCall = new AtomicLong(1);
  private final ConcurrentMap<Long, Pending> pending = new ConcurrentHashMap<>();

  private static final class Pending extends CompletableFuture<byte[]> {
    volatile boolean appended;

    /** When everybody knows who must, before it is answered. */
    volatile CompletableFuture<@Nullable Void> known = NOW;
  }

  Requests(RatisOptions options, RaftServer server, RaftServer.Division division) {
    this.server = server;
    this.group = division.getGroup().getGroupId();
    this.timeout = options.settings().request();
    // The division itself takes requests on the caller's thread; the server would hop to a pool
    // and make the caller wait for that.
    this.entrance = division instanceof RaftClientAsynchronousProtocol direct ? direct : server;
  }

  void appending(long callId) {
    Pending request = pending.get(callId);
    if (request != null) {
      request.appended = true;
    }
  }

  void applied(long callId, CompletableFuture<@Nullable Void> known) {
    Pending request = pending.get(callId);
    if (request != null) {
      request.known = known;
    }
  }

  CompletableFuture<byte[]> submit(byte module, byte[] command) {
    if (command.length > Tuning.COMMAND_BYTES_MAX) {
      return CompletableFuture.failedFuture(
          new TrefoilException(
              Reason.TOO_LARGE,
              "a command of "
                  + command.length
                  + " bytes is above the state log's limit of "
                  + Tuning.COMMAND_BYTES_MAX));
    }
    long call = nextCall.getAndIncrement();
    Pending request = new Pending();
    pending.put(call, request);
    CompletableFuture<RaftClientReply> _ =
        send(call, WRITE, ReplyCodec.command(module, command))
            .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
            .whenComplete((reply, thrown) -> finish(call, request, reply, thrown));
    return request;
  }

  private void finish(
      long call, Pending request, @Nullable RaftClientReply reply, @Nullable Throwable thrown) {
    pending.remove(call);
    Throwable failure = Failures.of(reply, thrown);
    if (failure != null) {
      TrefoilException told =
          request.appended
              ? Failures.unknown("the command", failure)
              : Failures.nothingDone("the command", failure);
      failAside(request, told);
      return;
    }
    Message message = Objects.requireNonNull(reply).getMessage();
    request.known.whenComplete(
        (_, unknown) -> {
          if (unknown == null) {
            answer(request, message);
          } else {
            failAside(request, Failures.unknownToSome(unknown));
          }
        });
  }

  private static void answer(Pending request, Message message) {
    try {
      request.complete(ReplyCodec.open(message));
    } catch (TrefoilException regular) {
      request.completeExceptionally(regular);
    }
  }

  /** Completes when this replica's state holds all that was committed anywhere before the call. */
  CompletableFuture<Void> readPoint() {
    CompletableFuture<Void> ready = new CompletableFuture<>();
    CompletableFuture<RaftClientReply> _ =
        send(nextCall.getAndIncrement(), READ_POINT, Message.EMPTY)
            .whenComplete(
                (reply, thrown) -> {
                  Throwable failure = Failures.of(reply, thrown);
                  if (failure == null) {
                    ready.complete(null);
                  } else {
                    failAside(ready, Failures.nothingDone("the read", failure));
                  }
                });
    return ready;
  }

  /**
   * A leader that steps down completes requests holding Ratis' lock, under which nobody else's code
   * must run.
   */
  private static void failAside(CompletableFuture<?> request, TrefoilException failure) {
    Thread.startVirtualThread(() -> request.completeExceptionally(failure));
  }

  private CompletableFuture<RaftClientReply> send(
      long call, RaftClientRequest.Type type, Message message) {
    RaftClientRequest request =
        RaftClientRequest.newBuilder()
            .setClientId(client)
            .setServerId(server.getId())
            .setGroupId(group)
            .setCallId(call)
            .setType(type)
            .setMessage(message)
            .build();
    try {
      return entrance.submitClientRequestAsync(request);
    } catch (IOException | RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  ClientId client() {
    return client;
  }

  long newCall() {
    return nextCall.getAndIncrement();
  }
}
