package org.trefoilfs.replication.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Placement;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.transport.Message;

/** All that exists in one run: the state log, the hosts, the network between them, the checks. */
final class World {
  static final Duration DETECTION = Duration.ofSeconds(2);
  static final int GROUPS_BITS = 1;
  static final int CHUNKS = 3;

  final Network network;
  final Plan plan;
  final Trace trace;
  final Checks checks;
  final List<SimHost> hosts = new ArrayList<>();

  /** What happens while hosts are on their way to be declared lost. */
  Runnable onCondemned = () -> {};

  final LogServers log;

  World(long seed, boolean traced) {
    network = new Network(seed);
    plan = Plan.random(network.random);
    trace = new Trace(traced, network);
    checks = new Checks(this);
    trace.add(plan::toString);
    log = new LogServers(this);
    log.apply(new ClusterCommand.CreateCluster("c", GROUPS_BITS));
    for (int i = 0; i < plan.hosts(); i++) {
      begin(registered(log.apply(register())));
    }
    for (SimHost host : hosts) {
      HostInfo info = view().host(host.id).orElseThrow();
      log.apply(
          new ClusterCommand.HostStarted(
              host.id, host.incarnation, info.address(), info.raftAddress(), java.util.Set.of()));
    }
    log.apply(
        new ClusterCommand.CreatePool(
            plan.replicas(),
            Placement.initial(plan.replicas(), GROUPS_BITS, view().hosts().values())));
    network.quality(plan.quality());
  }

  ClusterView view() {
    return log.view();
  }

  SimHost host(HostId id) {
    return hosts.get(id.value() - 1);
  }

  List<SimHost> running() {
    List<SimHost> running = new ArrayList<>(hosts.size());
    for (SimHost host : hosts) {
      if (host.running) {
        running.add(host);
      }
    }
    return running;
  }

  static ChunkId chunk(int number) {
    return new ChunkId(number + 1, 0);
  }

  int groupOf(ChunkId chunk) {
    return Pools.groupOf(chunk, plan.replicas(), GROUPS_BITS);
  }

  PgView group(int pg) {
    return view().placement().group(pg).orElseThrow();
  }

  boolean hasRoomForAHost() {
    return Network.FIRST_HOST + hosts.size() < Network.FIRST_CLIENT;
  }

  /** One more host asks to be let in, and starts when it is. */
  void join() {
    log.operate(register(), reply -> begin(registered(reply)));
  }

  private int named;

  private ClusterCommand register() {
    String name = "h" + ++named;
    return new ClusterCommand.RegisterHost(
        name, new Address(name, 1), new Address(name, 2), false, 1, name);
  }

  private static HostId registered(byte[] reply) {
    return new HostId(new ByteReader(reply).i32());
  }

  private void begin(HostId id) {
    SimHost host = new SimHost(this, id);
    hosts.add(host);
    host.start();
  }

  /**
   * A call to a host: its answer, or a failure, or OUTCOME_UNKNOWN after the time-out. What comes
   * later, or twice, is dropped.
   *
   * @param caller decides whether the caller is still there
   */
  void call(int from, HostId to, Message request, Caller caller) {
    boolean[] over = {false};
    Consumer<Message> once =
        answer -> {
          if (!over[0]) {
            over[0] = true;
            caller.deliver(() -> ended(answer, caller));
          }
        };
    network.after(
        DETECTION.toNanos() / 2,
        () -> once.accept(new Message.Failed(Reason.OUTCOME_UNKNOWN, "timed out", "")));
    SimHost host = host(to);
    network.send(
        from,
        host.node,
        () ->
            host.deliver(
                () ->
                    host.handle(
                        request,
                        answer -> network.send(host.node, from, () -> once.accept(answer)))));
  }

  private static void ended(Message answer, Caller caller) {
    if (answer instanceof Message.Failed(Reason reason, String why, String _)) {
      caller.failed(new TrefoilException(reason, why));
    } else {
      caller.answered(answer);
    }
  }

  /** Who waits for an answer. */
  interface Caller {
    /** Runs the step in the caller's process, if that is still the one that called. */
    void deliver(Runnable step);

    void answered(Message answer);

    void failed(TrefoilException why);
  }
}
