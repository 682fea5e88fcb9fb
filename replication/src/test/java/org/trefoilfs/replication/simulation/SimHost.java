package org.trefoilfs.replication.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostLease;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * A host: its disk, which stays, and one process after another on it. Here is what {@code Host} and
 * {@code Heartbeats} do; the groups are at {@link HostGroups}.
 */
final class SimHost {
  private static final long BEAT = 250 * Network.MILLI;
  private static final long TICK = 20 * Network.MILLI;

  final World world;
  final HostId id;
  final int node;
  final SimClock clock;
  final SimDisk disk;

  /** Of the process that runs, or ran last. */
  long incarnation;

  boolean running;

  /** Out of the cluster for good. */
  boolean removed;

  HostGroups groups;
  private HostLease lease;
  private ClusterView known = ClusterView.empty();
  private final List<Grant> grants = new ArrayList<>();
  private final Queue<Runnable> backlog = new ArrayDeque<>();
  private boolean paused;

  /** The disk has failed: the process runs on, and serves nobody. */
  boolean fenced;

  /** It has given its lease up, says so, and will be gone soon. */
  boolean leaving;

  /** Steps until the process is killed in the middle of one; 0 when it is not to be. */
  private int stepsLeft;

  private record Grant(long sent, long epoch) {}

  /** Ends a step at the point where the process is killed. */
  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Killed() {
      super("killed", null, false, false);
    }
  }

  SimHost(World world, HostId id) {
    this.world = world;
    this.id = id;
    node = Network.FIRST_HOST + id.value() - 1;
    clock = new SimClock(world.network, world.plan.drift());
    disk = new SimDisk(world.network, world.plan.slowDisks());
  }

  // ---- processes

  void start() {
    incarnation++;
    running = true;
    fenced = false;
    leaving = false;
    paused = false;
    stepsLeft = 0;
    backlog.clear();
    grants.clear();
    lease = new HostLease(World.DETECTION);
    known = ClusterView.empty();
    world.trace.add(() -> id + " starts, incarnation " + incarnation);
    long mine = incarnation;
    disk.open(step -> inProcess(mine, step), this::fence);
    groups = new HostGroups(this);
    every(BEAT, this::beat);
    every(TICK, groups::tick);
    ClusterView view = world.view();
    world.network.send(0, node, () -> deliver(() -> learn(view)));
  }

  private void every(long period, Runnable work) {
    deliver(work);
    long mine = incarnation;
    world.network.after(
        period,
        () -> {
          if (running && incarnation == mine) {
            every(period, work);
          }
        });
  }

  void kill() {
    world.trace.add(() -> id + " is killed");
    stop();
  }

  /** Killed between two of the things that one step of the protocol does. */
  void killSoon(int steps) {
    stepsLeft = steps;
  }

  /** Every point at which a process can die with half of a step done. */
  void point() {
    if (stepsLeft > 0 && --stepsLeft == 0) {
      world.trace.add(() -> id + " is killed in the middle of a step");
      stop();
      throw new Killed();
    }
  }

  /** As {@code Host.close} does: the others are told before the process ends. */
  void leave(long nanos) {
    leaving = true;
    world.trace.add(() -> id + " stops in good order");
    beat();
    later(nanos, this::kill);
  }

  void remove() {
    removed = true;
    stop();
  }

  void losePower() {
    stop();
    var lost = disk.losePower();
    world.trace.add(() -> id + " loses power, and records of groups " + lost);
    world.checks.lost(this, lost);
  }

  private void stop() {
    running = false;
    paused = false;
    backlog.clear();
    disk.abandoned();
  }

  /** After an fsync that failed the kernel has dropped the pages that it could not write. */
  private void fence() {
    fenced = true;
    lease.drop();
    var lost = disk.losePower();
    world.trace.add(() -> id + " is fenced: its disk has failed, and lost records of " + lost);
    world.checks.lost(this, lost);
  }

  void pause(long nanos) {
    long mine = incarnation;
    paused = true;
    world.trace.add(() -> id + " stands still for " + nanos / Network.MILLI + " ms");
    world.network.after(
        nanos,
        () -> {
          if (running && incarnation == mine) {
            goOn();
          }
        });
  }

  /** What came in the meantime is dealt with now, all at once. */
  void goOn() {
    if (paused) {
      world.trace.add(() -> id + " goes on");
      paused = false;
      while (!backlog.isEmpty() && running && !paused) {
        step(backlog.poll());
      }
    }
  }

  /** Runs a step in the process, now or when it goes on. */
  void deliver(Runnable step) {
    if (!running) {
      return;
    }
    if (paused) {
      backlog.add(step);
    } else {
      step(step);
    }
  }

  private void step(Runnable step) {
    try {
      step.run();
    } catch (Killed e) {
      // What the step had done is done.
    } catch (TrefoilException e) {
      world.trace.add(() -> id + ": " + e.getMessage());
    }
  }

  /** Like {@link #deliver}, for the process that asked for it alone. */
  void later(long nanos, Runnable step) {
    long mine = incarnation;
    world.network.after(nanos, () -> inProcess(mine, step));
  }

  void inProcess(long ofIncarnation, Runnable step) {
    if (incarnation == ofIncarnation) {
      deliver(step);
    }
  }

  // ---- leases and views

  private void beat() {
    if (fenced) {
      return;
    }
    long sent = clock.nanoTime();
    lease.sent(sent);
    long mine = incarnation;
    boolean leaves = leaving;
    for (int server = 0; server < LogServers.SERVERS; server++) {
      int to = server;
      world.network.send(node, to, () -> world.log.heartbeat(to, this, mine, sent, leaves));
    }
  }

  void granted(long toIncarnation, long sent, long epoch) {
    if (incarnation == toIncarnation) {
      grants.add(new Grant(sent, epoch));
      countGrants();
    }
  }

  private void countGrants() {
    HostInfo info = known.hosts().get(id);
    if (info == null || info.incarnation() != incarnation || !info.isAlive()) {
      grants.clear();
      return;
    }
    grants.removeIf(
        grant -> {
          boolean counts = grant.epoch() <= known.epoch();
          if (counts) {
            lease.granted(grant.sent());
          }
          return counts;
        });
  }

  boolean leased() {
    return running && !fenced && !leaving && lease.valid(clock.nanoTime());
  }

  boolean isPaused() {
    return paused;
  }

  /** A paused process serves nobody, whatever its lease. */
  boolean serves() {
    return leased() && !paused;
  }

  ClusterView known() {
    return known;
  }

  void learn(ClusterView view) {
    if (view.epoch() <= known.epoch()) {
      return;
    }
    ClusterView before = known;
    known = view;
    for (PgView next : view.placement().groups()) {
      PgView old = before.placement().group(next.pg()).orElse(null);
      if (!next.equals(old)) {
        groups.view(old, next, view);
      }
    }
    countGrants();
    groups.endStaleFlushes();
  }

  // ---- requests

  void handle(Message request, Consumer<Message> reply) {
    if (fenced) {
      reply.accept(new Message.Failed(Reason.IO, id + " has lost its disk", ""));
      return;
    }
    long mine = incarnation;
    Consumer<Message> answer =
        message -> {
          if (running && incarnation == mine) {
            reply.accept(message);
          }
        };
    try {
      groups.serve(request, answer);
    } catch (TrefoilException e) {
      answer.accept(new Message.Failed(e.reason(), e.getMessage(), ""));
    }
  }

  /** Nothing when the disk has failed. */
  Map<Integer, Version> lastWrites(List<Integer> ofGroups) {
    Map<Integer, Version> last = new TreeMap<>();
    (fenced ? List.<Integer>of() : ofGroups)
        .forEach(pg -> last.put(pg, groups.group(pg).log().last()));
    return last;
  }
}
