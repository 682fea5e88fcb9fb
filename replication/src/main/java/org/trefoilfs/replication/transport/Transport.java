package org.trefoilfs.replication.transport;

import java.io.Closeable;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.membership.Address;

/**
 * Sends messages to hosts. The port behind which Netty, or a simulated network, lies. Thread-safe.
 */
public interface Transport extends Closeable {
  /**
   * Sends a request. The answer's future completes on a transport thread: whoever continues on it
   * must not block.
   *
   * @return the reply; a {@link Message.Failed} becomes a failure with its reason. Fails with
   *     UNAVAILABLE when the request was certainly not delivered, with OUTCOME_UNKNOWN when the
   *     connection broke or the time ran out after it may have been
   */
  CompletableFuture<Message> call(Address to, Message request, Duration timeout);

  /** Sends without an answer; lost silently when the host cannot be reached. */
  void send(Address to, Message oneWay);

  /**
   * The host is known to be gone: calls that wait for it fail now, as if its connections had
   * broken. A later call finds out for itself.
   */
  void abandon(Address host);

  @Override
  void close();

  /** Serves the requests that arrive at a host; takes all at once, unless it says otherwise. */
  @FunctionalInterface
  interface Handler extends Intake {
    /**
     * Handles a request on a transport thread, in order of arrival per connection; must not block.
     * {@code reply} is called once, from any thread, unless the message was one-way, when calling
     * it does nothing. An exception thrown is answered as {@link Message.Failed}.
     */
    void handle(Message request, Reply reply);

    @Override
    default Ticket ask(Message.Lane lane, long bytes) {
      return Ticket.FREE;
    }
  }

  /** Where the answer to a request goes. */
  @FunctionalInterface
  interface Reply {
    void send(Message answer);
  }
}
