package org.trefoilfs.replication.simulation;

import java.util.List;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.placement.PgView;

/** What goes wrong, at random, as far as the run's plan has it. */
final class Faults {
  private final World world;
  private final Network network;
  private final Plan plan;

  private boolean over;

  /** Where a block has rotted: until it is healed nothing else happens to its other copies. */
  private SimHost rotten;

  /** A host's coming or going is on its way through the log. */
  private boolean moving;

  Faults(World world) {
    this.world = world;
    this.network = world.network;
    this.plan = world.plan;
    world.onCondemned = this::condemned;
  }

  /** Perhaps one more. */
  void next() {
    if (scrub()) {
      return;
    }
    SimHost victim = world.hosts.get(network.random.nextInt(world.hosts.size()));
    switch (network.random.nextInt(25)) {
      case 0, 1 -> kill(victim);
      case 2 -> killAll();
      case 3 -> losePower(victim);
      case 4 -> losePowerEverywhere();
      case 5, 6, 7, 8 -> startOne();
      case 9 -> startAll();
      case 10, 11 -> cut(victim);
      case 12, 13, 14 -> heal();
      case 15 -> pause(victim);
      case 16 -> fill(victim);
      case 17 -> failDisk(victim);
      case 18 -> rot(victim);
      case 19 -> move(victim);
      case 20 -> replaceDisk(victim);
      case 21 -> changeLeader();
      case 22 -> victim.deliver(() -> checkpoint(victim));
      case 23 -> leave(victim);
      case 24 -> losePowerTwice();
      default -> {}
    }
  }

  private static void checkpoint(SimHost host) {
    if (!host.fenced) {
      host.groups.applier.checkpoint();
    }
  }

  // ---- processes and power

  private void kill(SimHost victim) {
    if (plan.kills() && victim.running) {
      if (network.random.nextBoolean()) {
        victim.kill();
      } else {
        victim.killSoon(1 + network.random.nextInt(12));
      }
    }
  }

  private void leave(SimHost victim) {
    if (plan.kills() && victim.serves()) {
      victim.leave(network.random.nextLong(2 * Network.SECOND));
    }
  }

  private void killAll() {
    if (plan.kills() && network.random.nextBoolean()) {
      world.running().forEach(SimHost::kill);
    }
  }

  private void losePower(SimHost victim) {
    if (plan.powerLosses()) {
      victim.losePower();
    }
  }

  private void losePowerEverywhere() {
    if (plan.powerLosses()) {
      world.hosts.forEach(SimHost::losePower);
    }
  }

  /** And again when all are back, and have written for a while. */
  private void losePowerTwice() {
    if (plan.powerLosses()) {
      losePowerEverywhere();
      startAll();
      network.after(
          2 * Network.SECOND + network.random.nextLong(6 * Network.SECOND),
          () -> {
            if (!over) {
              losePowerEverywhere();
              startAll();
            }
          });
    }
  }

  /** What was flushed just now must survive what comes at the worst time. */
  void flushed() {
    if (!over && plan.powerLosses() && network.oneIn(12)) {
      losePowerEverywhere();
    }
  }

  /** The host that is being declared lost comes back at the worst time. */
  private void condemned() {
    if (network.oneIn(3)) {
      heal();
      world.running().forEach(SimHost::goOn);
    }
  }

  private void startOne() {
    List<SimHost> down = startable();
    if (!down.isEmpty()) {
      start(down.get(network.random.nextInt(down.size())));
    }
  }

  private void startAll() {
    startable().forEach(Faults::start);
  }

  /** A process that is fenced, or stopping, serves nobody until it is started again. */
  private List<SimHost> startable() {
    return world.hosts.stream()
        .filter(host -> !host.removed && (!host.running || host.fenced || host.leaving))
        .toList();
  }

  private static void start(SimHost host) {
    if (host.running) {
      host.kill();
    }
    host.start();
  }

  private void pause(SimHost victim) {
    if (plan.pauses() && victim.running && !victim.isPaused()) {
      victim.pause(network.random.nextLong(4 * Network.SECOND));
    }
  }

  // ---- links

  private void cut(SimHost victim) {
    if (!plan.cuts()) {
      return;
    }
    int other = network.random.nextInt(Network.FIRST_CLIENT + Clients.CLIENTS);
    switch (network.random.nextInt(4)) {
      case 0 -> network.cut(victim.node, other);
      case 1 -> network.cut(other, victim.node);
      case 2 -> {
        network.cut(victim.node, other);
        network.cut(other, victim.node);
      }
      default ->
          isolate(victim, plan.leaderChanges() ? network.random.nextInt(3) : LogServers.SERVERS);
    }
    world.trace.add(() -> "links of " + victim.id + " are cut, with node " + other);
  }

  /** From one server of the state log, or from all: the other hosts still hear it. */
  private void isolate(SimHost victim, int server) {
    for (int node = 0; node < LogServers.SERVERS; node++) {
      if (server == node || server == LogServers.SERVERS) {
        network.cut(victim.node, node);
        network.cut(node, victim.node);
      }
    }
  }

  private void heal() {
    world.trace.add(() -> "links heal");
    network.heal();
  }

  // ---- disks

  private void fill(SimHost victim) {
    if (plan.diskFaults()) {
      victim.disk.full = !victim.disk.full;
      world.trace.add(() -> victim.id + "'s disk is full: " + victim.disk.full);
    }
  }

  private void failDisk(SimHost victim) {
    if (plan.diskFaults() && victim.running && !victim.fenced) {
      victim.disk.syncFails = true;
    }
  }

  private void rot(SimHost victim) {
    // A disk whose next sync will fail is as good as lost: its copy would be the last sound one.
    boolean whole =
        isHealed() && world.hosts.stream().allMatch(host -> host.serves() && !host.disk.syncFails);
    if (plan.diskFaults() && whole && victim.disk.store.rot(network.random)) {
      world.trace.add(() -> "a block rots at " + victim.id);
      rotten = victim;
      scrub();
    }
  }

  /** Finds what has rotted; false when nothing has. */
  private boolean scrub() {
    if (rotten == null || rotten.disk.store.damaged().isEmpty()) {
      rotten = null;
      return false;
    }
    SimHost host = rotten;
    host.disk
        .store
        .damaged()
        .forEach(chunk -> host.deliver(() -> host.groups.heal(world.groupOf(chunk), chunk)));
    return true;
  }

  /** By an empty one; not while the host's data may be needed to open a group. */
  private void replaceDisk(SimHost victim) {
    boolean needed =
        world.view().placement().groups().stream()
            .anyMatch(group -> group.member(victim.id).isPresent());
    if (plan.diskFaults() && !victim.running && !needed) {
      world.trace.add(() -> victim.id + " gets an empty disk");
      victim.disk.replace();
    }
  }

  // ---- hosts that come and go

  private void move(SimHost host) {
    HostInfo info = world.view().hosts().get(host.id);
    if (!plan.moves() || info == null || moving) {
      return;
    }
    long staying = world.view().hosts().values().stream().filter(h -> !h.leaving()).count();
    boolean holds =
        world.view().placement().groups().stream().anyMatch(group -> group.holds(host.id));
    if (info.leaving() && !holds) {
      remove(host);
    } else if (info.leaving()) {
      move(new ClusterCommand.SetHostState(host.id, HostState.UP));
    } else if (staying > plan.replicas()) {
      move(new ClusterCommand.SetHostState(host.id, HostState.LEAVING));
    } else if (world.hasRoomForAHost()) {
      world.join();
    }
  }

  private void move(ClusterCommand command) {
    moving = true;
    world.log.operate(command, _ -> moving = false);
  }

  private void remove(SimHost host) {
    world.log.operate(
        new ClusterCommand.RemoveHost(host.id),
        _ -> {
          if (!world.view().hosts().containsKey(host.id)) {
            host.remove();
          }
        });
  }

  private void changeLeader() {
    if (plan.leaderChanges()) {
      world.log.changeLeader();
    }
  }

  // ---- the end of it

  /**
   * From here on nothing goes wrong, and nobody stands still any longer: a reader of the calm asks
   * once, by the map of any host, where a mount would fetch a newer one and ask again.
   */
  void end() {
    world.trace.add(() -> "calm");
    over = true;
    network.heal();
    network.quality(new Network.Quality(0, 0, 0));
    for (SimHost host : world.hosts) {
      host.disk.full = false;
      host.disk.syncFails = false;
      host.killSoon(0);
    }
    world.hosts.forEach(SimHost::goOn);
    startAll();
    mend();
  }

  private void mend() {
    if (scrub()) {
      network.after(100 * Network.MILLI, this::mend);
    }
  }

  /** Whether every group has all the members that it should have. */
  boolean isHealed() {
    return world.view().placement().groups().stream().allMatch(this::isHealed);
  }

  private boolean isHealed(PgView group) {
    return group.isOpen()
        && group.inSync().size() == plan.replicas()
        && group.joining().isEmpty()
        && group.inSync().stream().allMatch(member -> world.host(member.host()).serves());
  }
}
