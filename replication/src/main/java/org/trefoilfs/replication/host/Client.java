package org.trefoilfs.replication.host;

import java.io.Closeable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterDelta;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.StateLogRouter;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.netty.NettyTransport;
import org.trefoilfs.replication.volume.Volume;

/** A process that uses a cluster without being a host of it: a mount in a guest, a command line. */
public final class Client implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(Client.class);

  /** Between two attempts to reach anybody at the start. */
  private static final Duration RETRY = Duration.ofMillis(100);

  /**
   * How often the map is asked for while nothing calls for a newer one: a lost host holds calls up
   * for so much longer than it takes to find it lost.
   */
  private static final Duration POLL = Duration.ofMillis(200);

  private static final Duration MAP_CALL = Duration.ofSeconds(2);

  private final List<Address> seeds;
  private final Duration timeout;
  private final NettyTransport transport;
  private final ScheduledExecutorService timer;
  private final HostLink link;
  private final StateLogRouter router;
  private final Sessions sessions;
  private volatile ClusterView view = ClusterView.empty();

  private Client(List<Address> seeds, Duration timeout) {
    this.seeds = List.copyOf(seeds);
    this.timeout = timeout;
    timer = Timers.start("trefoil-client", 2);
    transport =
        new NettyTransport(
            () -> new LocalIdentity(view.clusterId(), 0, 0), TransportOptions.DEFAULT);
    link = new HostLink(transport, this::view, seeds);
    router =
        new StateLogRouter(
            Optional.empty(),
            transport,
            new StateLogRouter.Hosts(link::addresses, link::address),
            new StateLogRouter.Timing(
                timeout, StateLogRouter.Timing.DEFAULT_ATTEMPT, SystemTime.INSTANCE, timer));
    sessions = new Sessions(transport, SystemTime.INSTANCE, link::addresses);
  }

  /** A client that only administers: nothing is asked of the cluster before the first call. */
  public static Client of(List<Address> cluster, Duration timeout) {
    return new Client(cluster, timeout);
  }

  /** A client that follows the cluster's map. UNAVAILABLE when none of the hosts answers. */
  public static Client connect(List<Address> cluster, Duration timeout) {
    Client client = of(cluster, timeout);
    try {
      client.awaitMap(cluster, timeout);
    } catch (RuntimeException e) {
      client.close();
      throw e;
    }
    client.timer.scheduleWithFixedDelay(
        () -> client.follow().exceptionally(_ -> null),
        POLL.toMillis(),
        POLL.toMillis(),
        TimeUnit.MILLISECONDS);
    client.timer.scheduleWithFixedDelay(
        client.sessions::ping, 200, Sessions.INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    return client;
  }

  /** Asks again until the time is over: a busy host may not take a connection at once. */
  private void awaitMap(List<Address> cluster, Duration timeout) {
    long deadline = SystemTime.INSTANCE.nanoTime() + timeout.toNanos();
    while (true) {
      try {
        follow().join();
        return;
      } catch (RuntimeException e) {
        TrefoilException why = TrefoilException.of(e);
        if (why.reason() != Reason.UNAVAILABLE && why.reason() != Reason.OUTCOME_UNKNOWN) {
          throw why;
        }
        if (SystemTime.INSTANCE.nanoTime() - deadline > 0) {
          throw new TrefoilException(
              Reason.UNAVAILABLE,
              "none of the hosts " + cluster + " answers; start one, or correct --cluster",
              why);
        }
        LockSupport.parkNanos(RETRY.toNanos());
      }
    }
  }

  /** Asks the first host that answers to carry out a verb of administration. */
  public byte[] admin(String verb, byte[] body) {
    TrefoilException last =
        new TrefoilException(Reason.UNAVAILABLE, "no host is known; name one with --cluster");
    for (Address host : seeds) {
      try {
        Message answer = transport.call(host, new Message.Admin(verb, body), timeout).join();
        if (answer instanceof Message.AdminReply(byte[] reply)) {
          return reply;
        }
        last =
            new TrefoilException(Reason.REFUSED, host + " does not answer as a host of a cluster");
      } catch (RuntimeException e) {
        last = TrefoilException.of(e);
        if (last.reason() != Reason.UNAVAILABLE) {
          throw last;
        }
      }
    }
    throw last;
  }

  public ClusterView view() {
    return view;
  }

  public StateLog stateLog() {
    return router;
  }

  public ClusterClient cluster() {
    return new ClusterClient(router);
  }

  /** As {@link Host#openVolume}. */
  public Volume openVolume(VolumeInfo volume, LongSupplier session) {
    return link.volume(volume, timeout, SystemTime.INSTANCE, timer, this::refresh, session);
  }

  /** How long a call waits before it fails. */
  public Duration patience() {
    return timeout;
  }

  /** As {@link Host#keepSession}. */
  public BooleanSupplier keepSession(long session, long openedNanos, MountPulse mount) {
    return sessions.opened(session, openedNanos, mount);
  }

  public void dropSession(long session) {
    sessions.closed(session);
  }

  private CompletableFuture<Void> refresh(long epoch) {
    return view.epoch() > epoch
        ? CompletableFuture.completedFuture(null)
        : follow().handle((_, _) -> null);
  }

  /** Takes the newest map of all hosts that answer; completes when the first has. */
  private CompletableFuture<Void> follow() {
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    CompletableFuture<Void> first = new CompletableFuture<>();
    for (Address host : link.addresses()) {
      answers.add(
          transport
              .call(host, new Message.MapRequest(view.epoch()), MAP_CALL)
              .thenAccept(
                  answer -> {
                    learn(answer);
                    first.complete(null);
                  }));
    }
    CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                first.completeExceptionally(failure);
              }
            });
    return first;
  }

  private synchronized void learn(Message answer) {
    if (answer instanceof Message.MapReply(byte[] delta)) {
      ClusterView next = ClusterDelta.apply(view, delta);
      if (next.epoch() > view.epoch()) {
        ClusterView before = view;
        view = next;
        link.viewChanged(before, next);
        log.debug("map of epoch {}", next.epoch());
      }
    }
  }

  @Override
  public void close() {
    Timers.stop(timer);
    transport.close();
  }
}
