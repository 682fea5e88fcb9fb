package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import io.netty.util.Timeout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Message;

/** A request that awaits its answer. After it was offered, its event loop owns it. */
final class ClientCall extends Outgoing {
  private final long requestId;
  private final ClientConnection connection;
  private final AtomicInteger inFlight;
  private final CompletableFuture<Message> answer = new CompletableFuture<>();
  private @Nullable Timeout timeout;
  private boolean maySucceedThere;
  private boolean ended;

  /**
   * @param inFlight counts the connection's calls; goes down when this one ends
   */
  ClientCall(ByteBuf frame, long requestId, ClientConnection connection, AtomicInteger inFlight) {
    super(frame);
    this.requestId = requestId;
    this.connection = connection;
    this.inFlight = inFlight;
  }

  CompletableFuture<Message> answer() {
    return answer;
  }

  long requestId() {
    return requestId;
  }

  void endsAt(Timeout at) {
    timeout = at;
  }

  @Override
  void sending() {
    maySucceedThere = true;
    connection.sending(this);
  }

  @Override
  void dropped(TrefoilException why) {
    fail(why);
  }

  void succeed(Message message) {
    if (end()) {
      answer.complete(message);
    }
  }

  void fail(TrefoilException why) {
    if (end()) {
      answer.completeExceptionally(why);
    }
  }

  /** Fails with what is true of it: certainly not delivered, or nobody knows. */
  void fail(String why) {
    fail(new TrefoilException(failureReason(), why));
  }

  private Reason failureReason() {
    return maySucceedThere ? Reason.OUTCOME_UNKNOWN : Reason.UNAVAILABLE;
  }

  private boolean end() {
    if (ended) {
      return false;
    }
    ended = true;
    inFlight.decrementAndGet();
    if (timeout != null) {
      timeout.cancel();
    }
    return true;
  }
}
