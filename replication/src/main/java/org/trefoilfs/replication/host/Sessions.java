package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * Keeps this process' mount sessions alive: tells every host, so that a new leader has heard of
 * them too.
 */
final class Sessions {
  static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final Logger log = LoggerFactory.getLogger(Sessions.class);

  private final Transport transport;
  private final Supplier<Collection<Address>> hosts;
  private final Map<Long, Session> open = new ConcurrentHashMap<>();

  private record Session(Supplier<Long> orphanCursor, Runnable evicted) {}

  Sessions(Transport transport, Supplier<Collection<Address>> hosts) {
    this.transport = transport;
    this.hosts = hosts;
  }

  void opened(long session, Supplier<Long> orphanCursor, Runnable evicted) {
    open.put(session, new Session(orphanCursor, evicted));
  }

  void closed(long session) {
    open.remove(session);
  }

  /** Sends a sign of life for each. Called each {@link #INTERVAL}. */
  void ping() {
    open.forEach(
        (id, session) -> {
          Message ping = new Message.SessionPing(id, session.orphanCursor().get());
          for (Address host : hosts.get()) {
            transport
                .call(host, ping, INTERVAL)
                .whenComplete((_, failure) -> answered(id, failure));
          }
        });
  }

  private void answered(long id, @org.jspecify.annotations.Nullable Throwable failure) {
    if (failure == null || TrefoilException.of(failure).reason() != Reason.STALE) {
      return;
    }
    Session session = open.remove(id);
    if (session != null) {
      log.error(
          "session {} was evicted: this mount was out of touch for too long", Long.toHexString(id));
      session.evicted().run();
    }
  }
}
