package org.trefoilfs.replication.statelog;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/** Hosts of this process, called without a network. */
public final class MemoryTransport implements Transport {
  public final Map<Address, Handler> handlers = new ConcurrentHashMap<>();

  /** Whose answers are lost on the way back. */
  public final Set<Address> mute = ConcurrentHashMap.newKeySet();

  @Override
  public CompletableFuture<Message> call(Address to, Message request, Duration timeout) {
    Handler handler = handlers.get(to);
    if (handler == null) {
      return CompletableFuture.failedFuture(
          new TrefoilException(Reason.UNAVAILABLE, to + " cannot be reached"));
    }
    CompletableFuture<Message> answer = new CompletableFuture<>();
    Thread.startVirtualThread(
        () ->
            handler.handle(
                request,
                reply -> {
                  if (!mute.contains(to)) {
                    answer.complete(reply);
                  }
                }));
    return answer
        .orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS)
        .handle((reply, failure) -> open(to, reply, failure));
  }

  private static Message open(Address to, Message reply, Throwable failure) {
    if (failure != null) {
      throw new TrefoilException(Reason.OUTCOME_UNKNOWN, to + " did not answer in time");
    }
    if (reply instanceof Message.Failed(Reason reason, String message, String hint)) {
      throw TrefoilException.withHint(reason, message, hint);
    }
    return reply;
  }

  @Override
  public void send(Address to, Message oneWay) {}

  @Override
  public void abandon(Address host) {}

  @Override
  public void close() {}
}
