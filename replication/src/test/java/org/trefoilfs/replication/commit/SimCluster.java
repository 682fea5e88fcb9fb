package org.trefoilfs.replication.commit;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ChangeResult;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterModule;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.Controller;
import org.trefoilfs.replication.membership.FailureDetector;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Placement;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.statelog.InMemoryKeyValue;
import org.trefoilfs.replication.transport.Message;

/**
 * Hosts, an ideal state log that runs the real cluster module and controller, and the links between
 * them. The state log is host 0 of the network: a host that is cut off from it gets no lease and
 * learns no view.
 */
final class SimCluster implements TimeSource {
  static final Duration DETECTION = Duration.ofSeconds(2);
  static final int LOG = 0;
  static final int GROUPS_BITS = 1;

  /** One request in so many is lost. */
  private static final int LOSS = 60;

  private static final boolean DETAILED = Boolean.getBoolean("trefoil.trace");

  final SimNetwork network;
  final int replicas;
  final List<SimHost> hosts = new ArrayList<>();
  final ClusterModule module = new ClusterModule();
  final List<String> trace = new ArrayList<>();
  private final InMemoryKeyValue rows = new InMemoryKeyValue();
  private final FailureDetector detector;
  private final Controller controller;

  SimCluster(long seed, int hostCount, int replicas) {
    network = new SimNetwork(seed);
    this.replicas = replicas;
    detector = new FailureDetector(this, DETECTION);
    controller = new Controller(detector, this);
    apply(new ClusterCommand.CreateCluster("c", GROUPS_BITS));
    for (int i = 1; i <= hostCount; i++) {
      Address address = new Address("h" + i, 1000 + i);
      apply(
          new ClusterCommand.RegisterHost(
              "h" + i, address, new Address("h" + i, 2000 + i), false, 1, "h" + i));
      SimHost host = new SimHost(this, new HostId(i));
      hosts.add(host);
    }
    detector.startLeading();
    hosts.forEach(SimHost::start);
    for (SimHost host : hosts) {
      apply(started(host.id, host.incarnation));
    }
    List<PgView> table = Placement.initial(replicas, GROUPS_BITS, module.view().hosts().values());
    apply(new ClusterCommand.CreatePool(replicas, table));
    network.after(10_000_000, this::tick);
  }

  int changesTold;
  int allCompared;

  /** A joiner was told what changed, or to compare everything. */
  void answeredChanges(boolean known) {
    if (known) {
      changesTold++;
    } else {
      allCompared++;
    }
  }

  void trace(String line) {
    trace.add("%10.3f ms  %s".formatted(network.now() / 1e6, line));
  }

  /** Only with -Dtrefoil.trace=true: every step of every host. */
  void detail(java.util.function.Supplier<String> line) {
    if (DETAILED) {
      trace(line.get());
    }
  }

  @Override
  public long nanoTime() {
    return network.now();
  }

  @Override
  public long wallNanos() {
    return network.now();
  }

  SimHost host(HostId id) {
    return hosts.get(id.value() - 1);
  }

  ClusterView view() {
    return module.view();
  }

  /** Applies at once; every host that is not cut off hears of it later. */
  byte[] apply(ClusterCommand command) {
    byte[] reply = module.apply(rows, command.encode());
    module.applied(rows);
    trace("log: " + shorten(command));
    ClusterView view = module.view();
    detector.observe(view);
    for (SimHost host : hosts) {
      network.send(LOG, host.id.value(), () -> host.learn(view));
    }
    return reply;
  }

  private static String shorten(ClusterCommand command) {
    String text = command.toString();
    return text.length() > 300 ? text.substring(0, 300) + "..." : text;
  }

  /** A primary's proposal travels to the log. */
  void propose(SimHost from, PgView next) {
    network.send(
        from.id.value(),
        LOG,
        () -> {
          List<ChangeResult> results =
              ChangeResult.decode(
                  apply(
                      new ClusterCommand.ChangeViews(
                          List.of(new ClusterCommand.Change(next.view() - 1, next)))));
          trace("proposal of " + from.id + ": " + results.getFirst());
        });
  }

  /** A heartbeat has reached the log; the lease counts from when it was sent. */
  void heartbeat(SimHost host, long incarnation, long sent) {
    detector.heard(host.id, incarnation);
    HostInfo info = view().hosts().get(host.id);
    ClusterView known = view();
    boolean granted = detector.grants(host.id, incarnation) && info != null;
    network.send(
        LOG,
        host.id.value(),
        () -> {
          host.learn(known); // a host that was cut off follows the log again
          if (granted) {
            host.granted(incarnation, sent, known);
          }
        });
  }

  private ClusterCommand.HostStarted started(HostId id, long incarnation) {
    HostInfo info = view().hosts().get(id);
    return new ClusterCommand.HostStarted(
        id, incarnation, info.address(), info.raftAddress(), detector.live());
  }

  private void tick() {
    ClusterView view = view();
    List<ClusterCommand> commands = new ArrayList<>();
    for (PgView.Member member : detector.live()) {
      HostInfo info = view.hosts().get(member.host());
      if (info != null && (info.incarnation() < member.incarnation() || !info.isAlive())) {
        commands.add(started(member.host(), member.incarnation()));
      }
    }
    if (commands.isEmpty()) {
      commands.addAll(controller.tick(view));
    }
    commands.forEach(this::apply);
    if (commands.isEmpty()) {
      reopen(view);
    }
    network.after(50_000_000, this::tick);
  }

  private void reopen(ClusterView view) {
    Map<HostId, List<Integer>> ask = controller.groupsToReopen(view);
    if (ask.isEmpty()) {
      return;
    }
    Map<Integer, Map<HostId, Version>> reports = new TreeMap<>();
    ask.forEach(
        (id, groups) -> {
          SimHost host = host(id);
          if (host.running && !network.isCut(id.value(), LOG)) {
            for (int pg : groups) {
              reports
                  .computeIfAbsent(pg, _ -> new HashMap<>())
                  .put(id, host.group(pg).log().last());
            }
          }
        });
    controller.reopen(view, reports).forEach(this::apply);
  }

  /**
   * A call between hosts, or from a client that lives at one: the answer, or a failure after the
   * time-out.
   */
  void call(
      SimHost from,
      HostId to,
      Message request,
      Consumer<Message> answered,
      Consumer<TrefoilException> failed) {
    boolean[] over = {false};
    long fromIncarnation = from.incarnation;
    Consumer<Runnable> once =
        action -> {
          if (!over[0] && from.running && from.incarnation == fromIncarnation) {
            over[0] = true;
            action.run();
          }
        };
    network.after(
        DETECTION.toNanos() / 2,
        () ->
            once.accept(
                () ->
                    failed.accept(
                        new TrefoilException(
                            org.trefoilfs.replication.Reason.OUTCOME_UNKNOWN, "timed out"))));
    if (network.random.nextInt(LOSS) == 0) {
      return; // lost, as on a connection that was full or broke, while later ones arrive
    }
    network.send(
        from.id.value(),
        to.value(),
        () ->
            host(to)
                .handle(
                    request,
                    answer ->
                        network.send(
                            to.value(),
                            from.id.value(),
                            () ->
                                once.accept(
                                    () -> {
                                      if (answer
                                          instanceof
                                          Message.Failed(var reason, String message, String _)) {
                                        failed.accept(new TrefoilException(reason, message));
                                      } else {
                                        answered.accept(answer);
                                      }
                                    }))));
  }

  int groupOf(ChunkId chunk) {
    return Pools.groupOf(chunk, replicas, GROUPS_BITS);
  }

  /** The bytes of a block at a host as applied, for the comparison at the end. */
  static long value(ByteBuffer data) {
    return data.getLong(data.position());
  }

  static ByteBuffer data(long value) {
    return ByteBuffer.allocate(8).putLong(0, value);
  }

  static ChunkId chunk(int number) {
    return new ChunkId(number + 1, 0);
  }
}
