package org.trefoilfs.replication.host;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/** How a request's outcome goes back to who asked. */
final class Replies {
  private static final Logger log = LoggerFactory.getLogger(Replies.class);

  private Replies() {}

  /** Answers once the work is done. */
  static void when(CompletableFuture<? extends Message> work, Transport.Reply reply) {
    work.whenComplete((done, failure) -> send(reply, done, failure));
  }

  /** Answers with what the work returns, on a thread of its own: it may block. */
  static void virtual(Transport.Reply reply, Supplier<Message> work) {
    Thread.startVirtualThread(
        () -> {
          Message done = null;
          Throwable failure = null;
          try {
            done = work.get();
          } catch (Throwable e) {
            failure = e;
          }
          send(reply, done, failure);
        });
  }

  private static void send(
      Transport.Reply reply, @Nullable Message done, @Nullable Throwable failure) {
    if (done != null) {
      reply.send(done);
    } else {
      TrefoilException why =
          TrefoilException.of(failure == null ? new IllegalStateException("no answer") : failure);
      if (why.reason() == Reason.INTERNAL) {
        log.error("internal error", why);
      }
      reply.send(new Message.Failed(why.reason(), String.valueOf(why.getMessage()), ""));
    }
  }
}
