package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterModule;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.Controller;
import org.trefoilfs.replication.membership.FailureDetector;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.statelog.InMemoryKeyValue;

/**
 * An ideal state log: commands are applied in one order, after a while, by the real cluster module.
 * Its servers lead in turn, each with the real failure detector and controller; one that is deposed
 * does not know it at once, and what it submits then comes to nothing.
 */
final class LogServers {
  static final int SERVERS = 2;

  private static final long ROUND = 50 * Network.MILLI;

  /** A host that replaces its disk or its machine is not waited for any longer. */
  private static final java.time.Duration REPLACE_AFTER = java.time.Duration.ofSeconds(8);

  private final World world;
  private final Network network;
  private final ClusterModule module = new ClusterModule();
  private final InMemoryKeyValue rows = new InMemoryKeyValue();
  private final List<Server> servers = new ArrayList<>();

  /** Every command that was committed, refused ones too, in the order of the log. */
  final List<ClusterCommand> history = new ArrayList<>();

  private long term;
  private int leader = -1;
  private long lastCommit;

  /** One server: what it hears, and what it believes. */
  private final class Server {
    final int node;
    final SimClock clock;
    final FailureDetector detector;
    final Controller controller;

    /** The term in which it believes to lead, or -1. */
    long leads = -1;

    long leadingSince;
    boolean busy;

    Server(int node) {
      this.node = node;
      clock = new SimClock(network, world.plan.drift());
      detector = new FailureDetector(clock, World.DETECTION);
      controller = new Controller(detector, clock, REPLACE_AFTER);
    }
  }

  LogServers(World world) {
    this.world = world;
    this.network = world.network;
    for (int node = 0; node < SERVERS; node++) {
      servers.add(new Server(node));
    }
    lead(0);
    network.after(ROUND, this::round);
  }

  ClusterView view() {
    return module.view();
  }

  // ---- the log

  /** Applies at once: the cluster before it is let loose, and what is committed. */
  byte[] apply(ClusterCommand command) {
    ClusterView before = module.view();
    history.add(command);
    byte[] reply = module.apply(rows, command.encode());
    module.applied(rows);
    ClusterView view = module.view();
    if (view == before) {
      return reply;
    }
    world.trace.add(() -> "log: " + shortened(command));
    servers.forEach(server -> server.detector.observe(view));
    world.checks.clusterChanged(before, view);
    for (SimHost host : world.hosts) {
      network.send(Math.max(leader, 0), host.node, () -> host.deliver(() -> host.learn(view)));
    }
    return reply;
  }

  private static String shortened(ClusterCommand command) {
    String text = command.toString();
    return text.length() > 400 ? text.substring(0, 400) + "..." : text;
  }

  /** To the log by way of a server that led in this term; the outcome may stay unknown. */
  private void submit(long inTerm, ClusterCommand command, Consumer<byte[]> done, Runnable failed) {
    if (command instanceof ClusterCommand.HostsLost) {
      world.onCondemned.run();
    }
    long delay = 300_000 + network.random.nextLong(network.oneIn(30) ? 200_000_000 : 3_000_000);
    lastCommit = Math.max(lastCommit + 1, network.now() + delay);
    network.after(
        lastCommit - network.now(),
        () -> {
          if (inTerm != term) {
            failed.run();
            return;
          }
          byte[] reply;
          try {
            reply = apply(command);
          } catch (TrefoilException e) {
            world.trace.add(() -> "log refuses " + shortened(command) + ": " + e.getMessage());
            failed.run();
            return;
          }
          done.accept(reply);
        });
  }

  /** A host's command: to whoever leads. It is told nothing; views are. */
  void propose(SimHost from, ClusterCommand command) {
    if (leader >= 0) {
      Server to = servers.get(leader);
      network.send(
          from.node,
          to.node,
          () -> {
            if (to.leads == term) {
              submit(term, command, _ -> {}, () -> {});
            }
          });
    }
  }

  /** An operator's command, tried until it is done or refused. */
  void operate(ClusterCommand command, Consumer<byte[]> done) {
    if (leader < 0 || servers.get(leader).leads != term) {
      network.after(ROUND, () -> operate(command, done));
    } else {
      submit(term, command, done, () -> {});
    }
  }

  // ---- who leads

  private void lead(int next) {
    leader = next;
    Server server = servers.get(next);
    server.detector.stopLeading();
    server.detector.observe(view());
    server.detector.startLeading();
    server.leads = term;
    server.leadingSince = server.clock.nanoTime();
    server.busy = false;
    world.trace.add(() -> "log server " + next + " leads in term " + term);
  }

  /** Another leader, or the same again, after an election; the old one learns of it some time. */
  void changeLeader() {
    if (leader < 0) {
      return;
    }
    Server old = servers.get(leader);
    long oldTerm = term;
    leader = -1;
    term++;
    world.trace.add(() -> "log server " + old.node + " is deposed");
    network.after(
        network.random.nextLong(Network.SECOND),
        () -> {
          if (old.leads == oldTerm) {
            old.leads = -1;
            old.detector.stopLeading();
          }
        });
    int next = network.oneIn(4) ? old.node : (old.node + 1) % SERVERS;
    network.after(Network.MILLI + network.random.nextLong(Network.SECOND), () -> lead(next));
  }

  // ---- what servers do

  /** A heartbeat has reached a server. It verifies that it leads before it grants. */
  void heartbeat(int to, SimHost host, long incarnation, long sent, boolean leaves) {
    Server server = servers.get(to);
    if (leaves) {
      server.detector.stopped(host.id, incarnation);
    } else {
      server.detector.heard(host.id, incarnation);
    }
    long inTerm = server.leads;
    if (inTerm < 0) {
      return;
    }
    network.after(
        network.random.nextLong(2 * Network.MILLI),
        () -> {
          if (inTerm == term && server.leads == term) {
            answer(server, host, incarnation, sent);
          }
        });
  }

  private void answer(Server server, SimHost host, long incarnation, long sent) {
    ClusterView known = view();
    boolean granted = server.detector.grants(host.id, incarnation);
    network.send(
        server.node,
        host.node,
        () ->
            host.deliver(
                () -> {
                  host.learn(known); // a host that was cut off follows the log again
                  if (granted) {
                    host.granted(incarnation, sent, known.epoch());
                  }
                }));
  }

  private void round() {
    servers.stream().filter(server -> server.leads >= 0 && !server.busy).forEach(this::round);
    network.after(ROUND, this::round);
  }

  /** As {@code LeaderDuties} does it. */
  private void round(Server server) {
    ClusterView view = view();
    List<ClusterCommand> commands = new ArrayList<>(starts(server, view));
    if (commands.isEmpty()) {
      commands.addAll(server.controller.tick(view));
    }
    if (commands.isEmpty()) {
      reopen(server, view);
    } else {
      submitAll(server, commands);
    }
  }

  private List<ClusterCommand> starts(Server server, ClusterView view) {
    long led = server.clock.nanoTime() - server.leadingSince;
    boolean settled = led > World.DETECTION.toNanos() / 2;
    Set<PgView.Member> live = server.detector.live();
    List<ClusterCommand> starts = new ArrayList<>();
    for (PgView.Member member : live) {
      HostInfo host = view.hosts().get(member.host());
      boolean asEvidence = settled || (host != null && host.state() == HostState.JOINING);
      if (host != null
          && asEvidence
          && (host.incarnation() < member.incarnation() || !host.isAlive())) {
        starts.add(
            new ClusterCommand.HostStarted(
                host.id(), member.incarnation(), host.address(), host.raftAddress(), live));
      }
    }
    return starts;
  }

  private void submitAll(Server server, List<ClusterCommand> commands) {
    if (commands.isEmpty()) {
      server.busy = false;
      return;
    }
    server.busy = true;
    long inTerm = server.leads;
    submit(
        inTerm,
        commands.getFirst(),
        _ -> submitAll(server, commands.subList(1, commands.size())),
        () -> {
          if (server.leads == inTerm) {
            server.busy = false;
          }
        });
  }

  /**
   * Asks the members of closed groups for their last writes; who does not answer is asked again.
   */
  private void reopen(Server server, ClusterView view) {
    Map<HostId, List<Integer>> ask = server.controller.groupsToReopen(view);
    if (ask.isEmpty()) {
      return;
    }
    server.busy = true;
    long inTerm = server.leads;
    Map<Integer, Map<HostId, Version>> reports = new TreeMap<>();
    ask.forEach(
        (id, groups) -> {
          SimHost host = world.host(id);
          network.send(
              server.node,
              host.node,
              () ->
                  host.deliver(
                      () -> {
                        Map<Integer, Version> last = host.lastWrites(groups);
                        network.send(
                            host.node,
                            server.node,
                            () ->
                                last.forEach(
                                    (pg, version) ->
                                        reports
                                            .computeIfAbsent(pg, _ -> new HashMap<>())
                                            .put(id, version)));
                      }));
        });
    network.after(
        100 * Network.MILLI,
        () -> {
          if (server.leads == inTerm) {
            submitAll(server, server.controller.reopen(view, reports));
          }
        });
  }
}
