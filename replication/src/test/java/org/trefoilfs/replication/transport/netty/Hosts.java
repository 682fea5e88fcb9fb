package org.trefoilfs.replication.transport.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;

/** Servers and clients over loopback, closed after the test. */
final class Hosts implements AutoCloseable {
  static final LocalIdentity CLUSTER_A = new LocalIdentity("cluster-a", 1, 11);
  static final Duration PATIENCE = Duration.ofSeconds(10);
  static final Transport.Handler ECHO = (request, reply) -> reply.send(request);

  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  NettyServer server(Transport.Handler handler) {
    return server(0, handler, TransportOptions.DEFAULT);
  }

  NettyServer server(int port, Transport.Handler handler, TransportOptions options) {
    return opened(
        NettyServer.start(new Address("127.0.0.1", port), handler, () -> CLUSTER_A, options));
  }

  NettyTransport client() {
    return client(TransportOptions.DEFAULT);
  }

  NettyTransport client(TransportOptions options) {
    return client(new LocalIdentity("cluster-a", 2, 22), options);
  }

  NettyTransport client(LocalIdentity identity, TransportOptions options) {
    return opened(new NettyTransport(() -> identity, options));
  }

  <T extends AutoCloseable> T opened(T closeable) {
    open.push(closeable);
    return closeable;
  }

  static Message get(CompletableFuture<Message> answer) throws Exception {
    return answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
  }

  static TrefoilException failureOf(CompletableFuture<Message> answer) {
    try {
      return fail("answered with " + answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException e) {
      return TrefoilException.of(e);
    } catch (InterruptedException | TimeoutException e) {
      return fail("not answered at all", e);
    }
  }

  static void assertFails(CompletableFuture<Message> answer, Reason reason, String... words) {
    TrefoilException failure = failureOf(answer);
    assertThat(failure.reason()).as(failure.getMessage()).isEqualTo(reason);
    for (String word : words) {
      assertThat(failure).hasMessageContaining(word);
    }
  }

  @Override
  public void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }
}
