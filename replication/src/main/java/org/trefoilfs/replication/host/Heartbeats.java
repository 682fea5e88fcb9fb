package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.FailureDetector;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostLease;
import org.trefoilfs.replication.statelog.ratis.RatisStateLog;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * Tells every host that this one lives, hears the same of them, and keeps this host's lease:
 * granted by the state log's leader, from the moment the heartbeat was sent, and counted only once
 * this host knows every view that the leader knew when it granted it. So a host that was put out of
 * a group never serves it under a lease granted afterwards.
 */
final class Heartbeats {
  private final HostId self;
  private final long incarnation;
  private final TimeSource time;
  private final Transport transport;
  private final RatisStateLog ratis;
  private final Supplier<ClusterView> view;
  private final OwnHeartbeat own;
  private final BooleanSupplier fenced;
  private final HostLease lease;
  private final FailureDetector detector;
  private final Duration detection;
  private final Set<Address> seeds;
  private final Map<HostId, Message.Heartbeat> heard = new ConcurrentHashMap<>();
  private final Map<HostId, Long> heardAt = new ConcurrentHashMap<>();
  private final long startedAt;
  private final List<Grant> grants = new CopyOnWriteArrayList<>();
  private volatile Map<HostId, Message.HostReport> reports = Map.of();
  private volatile boolean stopping;

  /** A lease that counts once {@code epoch} is known here. */
  private record Grant(long sentNanos, long epoch) {}

  /** What this host says of itself now. */
  @FunctionalInterface
  interface OwnHeartbeat {
    Message.Heartbeat now(boolean stopping);
  }

  /** What the heartbeats need of their host. */
  record Wiring(
      HostId self,
      long incarnation,
      TimeSource time,
      Transport transport,
      RatisStateLog ratis,
      Supplier<ClusterView> view,
      OwnHeartbeat own,
      BooleanSupplier fenced,
      HostLease lease,
      FailureDetector detector,
      Duration detection,
      Collection<Address> seeds) {}

  Heartbeats(Wiring wiring) {
    self = wiring.self();
    incarnation = wiring.incarnation();
    time = wiring.time();
    transport = wiring.transport();
    ratis = wiring.ratis();
    view = wiring.view();
    own = wiring.own();
    fenced = wiring.fenced();
    lease = wiring.lease();
    detector = wiring.detector();
    detection = wiring.detection();
    seeds = Set.copyOf(wiring.seeds());
    startedAt = time.nanoTime();
  }

  /** Sends to everybody. Called several times within half of the detection time. */
  void beat() {
    if (fenced.getAsBoolean()) {
      return;
    }
    long sent = time.nanoTime();
    lease.sent(sent);
    Message.Heartbeat heartbeat = own.now(stopping);
    hear(heartbeat);
    ClusterView cluster = view.get();
    List<Address> targets = new ArrayList<>();
    for (HostInfo host : cluster.hosts().values()) {
      if (!host.id().equals(self)) {
        targets.add(host.address());
      }
    }
    if (targets.isEmpty() && cluster.hosts().isEmpty()) {
      targets.addAll(seeds);
    }
    for (Address target : targets) {
      transport
          .call(target, heartbeat, detection.dividedBy(2))
          .whenComplete((answer, _) -> answered(sent, answer));
    }
    if (ratis.isLeader()) {
      ratis.verifyLeadership().thenRun(() -> answered(sent, replyTo(heartbeat)));
    }
  }

  /** Hears another host's heartbeat. */
  CompletableFuture<Message> received(Message.Heartbeat heartbeat) {
    hear(heartbeat);
    if (!ratis.isLeader()) {
      return CompletableFuture.completedFuture(new Message.HeartbeatReply(false, 0, Map.of()));
    }
    return ratis.verifyLeadership().thenApply(_ -> replyTo(heartbeat));
  }

  private void hear(Message.Heartbeat heartbeat) {
    heard.put(heartbeat.host(), heartbeat);
    heardAt.put(heartbeat.host(), time.nanoTime());
    if (heartbeat.stopping()) {
      detector.stopped(heartbeat.host(), heartbeat.incarnation());
    } else {
      detector.heard(heartbeat.host(), heartbeat.incarnation());
    }
  }

  /** This host gives its lease up for good, and says so now and with every later heartbeat. */
  void stop() {
    stopping = true;
    beat();
  }

  /**
   * The epoch is read before the grant is decided: a host that is put out later learns of it by
   * this epoch's views.
   */
  private Message.HeartbeatReply replyTo(Message.Heartbeat heartbeat) {
    long epoch = view.get().epoch();
    boolean granted = detector.grants(heartbeat.host(), heartbeat.incarnation());
    return new Message.HeartbeatReply(granted, epoch, heardReports());
  }

  private Map<HostId, Message.HostReport> heardReports() {
    ClusterView cluster = view.get();
    Map<HostId, Message.HostReport> all = new HashMap<>();
    heard.forEach(
        (host, heartbeat) ->
            all.put(
                host,
                new Message.HostReport(
                    cluster.isAlive(host),
                    heartbeat.spaceTotal(),
                    heartbeat.spaceUsable(),
                    heartbeat.catchUp())));
    return all;
  }

  private void answered(long sent, @org.jspecify.annotations.Nullable Message answer) {
    if (!(answer instanceof Message.HeartbeatReply reply) || reply.reports().isEmpty()) {
      return;
    }
    reports = reply.reports();
    if (reply.leased()) {
      grants.add(new Grant(sent, reply.mapEpoch()));
      viewChanged();
    }
  }

  /** Counts the grants whose views are known by now. */
  void viewChanged() {
    ClusterView cluster = view.get();
    HostInfo host = cluster.hosts().get(self);
    if (host == null || !host.isAlive() || host.incarnation() != incarnation) {
      grants.clear();
      return;
    }
    for (Grant grant : grants) {
      if (grant.epoch() <= cluster.epoch() && grants.remove(grant)) {
        lease.granted(grant.sentNanos());
      }
    }
  }

  /** Whether every host that is alive has said that it is fenced up to there. */
  boolean isFenced(long epoch) {
    return view.get().hosts().values().stream()
        .filter(HostInfo::isAlive)
        .allMatch(
            host -> {
              Message.Heartbeat last = heard.get(host.id());
              return last != null
                  && last.incarnation() == host.incarnation()
                  && last.fenced() >= epoch;
            });
  }

  boolean leased() {
    return !fenced.getAsBoolean() && !stopping && lease.valid(time.nanoTime());
  }

  /** What the leader last heard of every host. */
  Map<HostId, Message.HostReport> reports() {
    return reports;
  }

  LossRecovery.Silence silence(HostId other) {
    Long last = heardAt.get(other);
    long since = last == null ? startedAt : last;
    return new LossRecovery.Silence(Duration.ofNanos(time.nanoTime() - since), last != null);
  }

  /** What this host itself last heard of another. */
  Map<HostId, Message.Heartbeat> heard() {
    return Map.copyOf(heard);
  }
}
