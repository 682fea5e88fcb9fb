package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.SessionTable;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * Keeps this process' mount sessions alive: tells every host, so that a new leader has heard of
 * them too.
 */
final class Sessions {
  static final Duration INTERVAL = Duration.ofSeconds(1);

  /** Ranges in one ping: a kilobyte and a half. */
  static final int RANGES = 64;

  private static final Logger log = LoggerFactory.getLogger(Sessions.class);

  private final Transport transport;
  private final TimeSource time;
  private final Supplier<Collection<Address>> hosts;
  private final Map<Long, Session> open = new ConcurrentHashMap<>();

  private final class Session {
    final MountPulse mount;

    /** When the latest ping that was answered was sent. */
    private long confirmedNanos;

    Session(MountPulse mount, long openedNanos) {
      this.mount = mount;
      this.confirmedNanos = openedNanos;
    }

    synchronized void confirmed(long sentNanos) {
      if (sentNanos - confirmedNanos > 0) {
        confirmedNanos = sentNanos;
      }
    }

    synchronized boolean isLeased() {
      return time.nanoTime() - confirmedNanos < SessionTable.LEASE.toNanos();
    }
  }

  Sessions(Transport transport, TimeSource time, Supplier<Collection<Address>> hosts) {
    this.transport = transport;
    this.time = time;
    this.hosts = hosts;
  }

  /**
   * @param openedNanos before it was opened
   * @return whether its lease is known to go on
   */
  BooleanSupplier opened(long id, long openedNanos, MountPulse mount) {
    Session session = new Session(mount, openedNanos);
    open.put(id, session);
    return () -> open.get(id) == session && session.isLeased();
  }

  void closed(long session) {
    open.remove(session);
  }

  /** Sends a sign of life for each. Called each {@link #INTERVAL}. */
  void ping() {
    open.forEach(
        (id, session) -> {
          long sent = time.nanoTime();
          Message ping = ping(id, session.mount);
          for (Address host : hosts.get()) {
            transport
                .call(host, ping, INTERVAL)
                .whenComplete((_, failure) -> answered(id, session, sent, failure));
          }
        });
  }

  private static Message ping(long id, MountPulse mount) {
    SpoolWindow window = mount.window();
    List<SpooledRange> ranges = window.bytes() == 0 ? List.of() : mount.ranges();
    return new Message.SessionPing(
        id, mount.orphanCursor(), window, ranges.subList(0, Math.min(RANGES, ranges.size())));
  }

  private void answered(long id, Session session, long sent, @Nullable Throwable failure) {
    if (failure == null) {
      session.confirmed(sent);
      return;
    }
    if (TrefoilException.of(failure).reason() == Reason.STALE && open.remove(id, session)) {
      log.error(
          "session {} was evicted: this mount was out of touch for too long", Long.toHexString(id));
      session.mount.evicted();
    }
  }
}
