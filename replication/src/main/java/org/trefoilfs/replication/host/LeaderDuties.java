package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterModule;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.Controller;
import org.trefoilfs.replication.membership.FailureDetector;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.SessionTable;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.statelog.Members;
import org.trefoilfs.replication.statelog.ratis.RatisStateLog;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * What the state log's leader does beside leading: enters starting hosts, declares lost ones, opens
 * closed groups, evicts silent sessions, and keeps the voters an odd number. One round at a time;
 * its commands go to this host's own state log server and to no other, so that a deposed leader's
 * decisions come to nothing.
 */
final class LeaderDuties {
  private static final Logger log = LoggerFactory.getLogger(LeaderDuties.class);

  /** Voters beyond five make every commit dearer and no likely failure survivable. */
  private static final int MAX_VOTERS = 5;

  private final HostId self;
  private final RatisStateLog ratis;
  private final ClusterModule module;
  private final FailureDetector detector;
  private final Controller controller;
  private final SessionTable sessions;
  private final Peers peers;
  private final TimeSource time;
  private final Duration detection;
  private final MountReports mounts;
  private final Set<Long> loggedEvictions = ConcurrentHashMap.newKeySet();
  private CompletableFuture<?> round = CompletableFuture.completedFuture(null);
  private CompletableFuture<?> membersChange = CompletableFuture.completedFuture(null);
  private boolean leading;
  private long leadingSince;

  /** What the duties need of their host. */
  record Wiring(
      HostId self,
      TimeSource time,
      RatisStateLog ratis,
      ClusterModule module,
      FailureDetector detector,
      Peers peers,
      Duration detection) {}

  LeaderDuties(Wiring wiring) {
    self = wiring.self();
    time = wiring.time();
    ratis = wiring.ratis();
    module = wiring.module();
    detector = wiring.detector();
    peers = wiring.peers();
    detection = wiring.detection();
    controller = new Controller(detector, wiring.time());
    sessions = new SessionTable(wiring.time());
    mounts = new MountReports(wiring.time());
  }

  /** Called several times per detection time, by one thread. */
  void tick() {
    mounts.keep(module.view().sessions().keySet());
    boolean leads = ratis.isLeader();
    if (leads != leading) {
      leading = leads;
      leadershipChanged();
    }
    if (leads && round.isDone()) {
      round = round().exceptionally(LeaderDuties::logFailure);
    }
  }

  private void leadershipChanged() {
    if (leading) {
      leadingSince = time.nanoTime();
      detector.observe(module.view());
      detector.startLeading();
      sessions.startLeading();
      log.info("{} leads the state log", self);
    } else {
      detector.stopLeading();
      sessions.stopLeading();
      log.info("{} no longer leads the state log", self);
    }
  }

  private CompletableFuture<?> round() {
    ClusterView view = module.view();
    List<ClusterCommand> commands = new ArrayList<>(starts(view));
    if (commands.isEmpty()) {
      commands.addAll(controller.tick(view));
    }
    for (long session : sessions.expired(view.sessions().keySet())) {
      if (loggedEvictions.add(session)) {
        log.warn(
            "evicting the session of {}: it has been silent for too long",
            view.sessions().get(session));
      }
      commands.add(eviction(session));
    }
    keepMembers(view);
    if (!commands.isEmpty()) {
      return submitAll(commands);
    }
    return reopen(view);
  }

  /**
   * Hosts that run under an incarnation that the state log does not know, or were taken for dead
   * and are not. A new leader first listens for as long as a lease of the old one may last, and so
   * knows who is alive.
   */
  private List<ClusterCommand> starts(ClusterView view) {
    boolean settled =
        view.hosts().size() == 1 || time.nanoTime() - leadingSince > detection.toNanos() / 2;
    Set<PgView.Member> live = detector.live();
    List<ClusterCommand> starts = new ArrayList<>();
    for (PgView.Member member : live) {
      HostInfo host = view.hosts().get(member.host());
      boolean asEvidence = settled || (host != null && host.state() == HostState.JOINING);
      if (host != null
          && asEvidence
          && (host.incarnation() < member.incarnation() || !host.isAlive())) {
        log.info(
            "host '{}' ({}) has started, incarnation {}",
            host.name(),
            host.id(),
            member.incarnation());
        starts.add(
            new ClusterCommand.HostStarted(
                host.id(), member.incarnation(), host.address(), host.raftAddress(), live));
      }
    }
    return starts;
  }

  private CompletableFuture<?> submitAll(List<ClusterCommand> commands) {
    CompletableFuture<?> all = CompletableFuture.completedFuture(null);
    for (ClusterCommand command : commands) {
      if (command instanceof ClusterCommand.HostsLost lost) {
        lost.members().forEach(this::logLost);
      }
      all = all.thenCompose(_ -> ratis.submit(ClusterModule.ID, command.encode()));
    }
    return all;
  }

  private void logLost(PgView.Member member) {
    if (detector.hasStopped(member)) {
      log.info("host {} (incarnation {}) has stopped", member.host(), member.incarnation());
    } else {
      log.warn(
          "host {} (incarnation {}) is lost: it has restarted, or was not heard of for {} ms",
          member.host(),
          member.incarnation(),
          detection.toMillis());
    }
  }

  // ---- stopping in good order

  /** Whether the state log goes on when this host has gone. */
  boolean goesOnWithoutSelf() {
    return otherVoters().size() > voters().size() / 2;
  }

  /** Leaves leading to another voter, if this host leads; fails, and goes on, when it cannot. */
  CompletableFuture<Void> handOver() {
    List<HostId> others = otherVoters();
    return ratis.isLeader() && !others.isEmpty()
        ? ratis.transferLeadership(others.getFirst())
        : CompletableFuture.completedFuture(null);
  }

  private List<HostId> otherVoters() {
    return voters().stream()
        .filter(voter -> !voter.equals(self) && isHeard(voter))
        .sorted()
        .toList();
  }

  /**
   * Asks the members of closed groups what they hold, and opens each group from the one that holds
   * most.
   */
  private CompletableFuture<?> reopen(ClusterView view) {
    Map<HostId, List<Integer>> toAsk = controller.groupsToReopen(view);
    if (toAsk.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    return LastWrites.ask(peers, toAsk, detection)
        .thenCompose(reports -> submitAll(controller.reopen(view, reports)));
  }

  // ---- who votes

  /**
   * One voter, then three, then five: an even number survives no more than the odd one below it,
   * and costs more.
   */
  private void keepMembers(ClusterView view) {
    if (!membersChange.isDone()) {
      return;
    }
    Members now = ratis.members();
    Map<HostId, Address> candidates = new HashMap<>();
    view.hosts().values().stream()
        .filter(
            host ->
                now.voters().containsKey(host.id())
                    || now.listeners().containsKey(host.id())
                    || isHeard(host.id()))
        .forEach(host -> candidates.put(host.id(), host.raftAddress()));
    Members wanted = wanted(candidates, now);
    if (wanted.voters().keySet().equals(now.voters().keySet())
        && wanted.listeners().keySet().equals(now.listeners().keySet())) {
      return;
    }
    log.info("state log: voters {} -> {}", now.voters().keySet(), wanted.voters().keySet());
    membersChange =
        ratis
            .setMembers(wanted.voters(), wanted.listeners())
            .exceptionally(LeaderDuties::logFailure);
  }

  private boolean isHeard(HostId host) {
    return detector.live().stream().anyMatch(member -> member.host().equals(host));
  }

  private static Members wanted(Map<HostId, Address> candidates, Members now) {
    int odd = candidates.size() % 2 == 0 ? candidates.size() - 1 : candidates.size();
    int count = Math.min(odd, MAX_VOTERS);
    List<HostId> order =
        candidates.keySet().stream()
            .sorted(
                Comparator.comparing((HostId host) -> !now.voters().containsKey(host))
                    .thenComparing(Comparator.naturalOrder()))
            .toList();
    Map<HostId, Address> voters = new HashMap<>();
    Map<HostId, Address> listeners = new HashMap<>();
    for (HostId host : order) {
      (voters.size() < count ? voters : listeners).put(host, candidates.get(host));
    }
    return new Members(voters, listeners);
  }

  // ---- sessions

  private ClusterCommand eviction(long session) {
    Message.SessionPing last = mounts.last(session);
    return last == null
        ? new ClusterCommand.CloseSession(session)
        : new ClusterCommand.EvictSession(
            session, time.wallNanos() / 1_000_000, last.window(), last.ranges());
  }

  MountReports mounts() {
    return mounts;
  }

  /** A mount lives. Only the leader's answer counts, given once it knows that it still leads. */
  void pinged(Message.SessionPing ping, Transport.Reply reply) {
    mounts.pinged(ping);
    if (!ratis.isLeader()) {
      reply.send(new Message.Failed(Reason.NOT_LEADER, self + " does not lead the state log", ""));
    } else if (!module.view().sessions().containsKey(ping.session())) {
      reply.send(
          new Message.Failed(
              Reason.STALE, "session " + Long.toHexString(ping.session()) + " was evicted", ""));
    } else {
      boolean lives = sessions.pinged(ping.session(), ping.orphanCursor());
      Replies.when(ratis.verifyLeadership().thenApply(_ -> answer(lives, ping.session())), reply);
    }
  }

  /** One that is being evicted hears no more that it lives. */
  private static Message answer(boolean lives, long session) {
    if (!lives) {
      throw new TrefoilException(
          Reason.UNAVAILABLE, "session " + Long.toHexString(session) + " is being evicted");
    }
    return new Message.Done();
  }

  long minimumOrphanCursor() {
    return sessions.minimumCursor(new HashSet<>(module.view().sessions().keySet()));
  }

  private static <T> @org.jspecify.annotations.Nullable T logFailure(Throwable failure) {
    TrefoilException why = TrefoilException.of(failure);
    log.info("a duty of the leader is tried again: {}", why.getMessage());
    return null;
  }

  /** For status: members of the state log. */
  Set<HostId> voters() {
    return ratis.members().voters().keySet();
  }
}
