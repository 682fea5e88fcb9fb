package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.PlacementTable;

/** The next state in the making: what one command has changed so far, over the state before it. */
final class Draft {
  private final ClusterState before;
  private final TreeMap<Integer, PgView> changedGroups = new TreeMap<>();
  final TreeMap<HostId, HostInfo> hosts;
  final TreeMap<Integer, VolumeInfo> volumes;
  final TreeMap<Long, SessionInfo> sessions;

  /** By the ids of the operators' choices. */
  final TreeMap<Long, AcceptedLoss> losses;

  /** By the ids of the sessions. */
  final TreeMap<Long, LostSpool> lostSpools;

  private String clusterId;
  private int bits;
  private Duration detection;
  private int nextHost;
  private int nextVolume;

  Draft(ClusterState before) {
    this.before = before;
    hosts = new TreeMap<>(before.view().hosts());
    volumes = new TreeMap<>(before.view().volumesById());
    sessions = new TreeMap<>(before.view().sessions());
    clusterId = before.view().clusterId();
    losses = new TreeMap<>(before.view().losses());
    lostSpools = new TreeMap<>(before.view().lostSpools());
    bits = before.table().bits();
    detection = before.view().detection();
    nextHost = before.nextHost();
    nextVolume = before.nextVolume();
  }

  /** The state after the command; the one before it when nothing differs. */
  ClusterState finish() {
    ClusterView old = before.view();
    boolean same =
        changedGroups.isEmpty()
            && clusterId.equals(old.clusterId())
            && hosts.equals(old.hosts())
            && volumes.equals(old.volumesById())
            && sessions.equals(old.sessions())
            && losses.equals(old.losses())
            && lostSpools.equals(old.lostSpools());
    if (same) {
      return before;
    }
    PlacementTable base =
        bits == before.table().bits() ? before.table() : PlacementTable.empty(before.epoch(), bits);
    PlacementTable table = base.with(changedGroups.values(), nextEpoch());
    return new ClusterState(
        ClusterView.of(clusterId, hosts, volumes, sessions, table)
            .with(losses, lostSpools, detection),
        table,
        nextHost,
        nextVolume);
  }

  /** Of the state after the command, if it changes anything. */
  long nextEpoch() {
    return before.epoch() + 1;
  }

  String clusterId() {
    return clusterId;
  }

  void found(ClusterCommand.CreateCluster command) {
    clusterId = command.clusterId();
    bits = command.bits();
    detection = command.detection();
  }

  int bits() {
    return bits;
  }

  HostId newHost() {
    return new HostId(nextHost++);
  }

  int newVolume() {
    return nextVolume++;
  }

  HostInfo host(HostId id) {
    HostInfo host = hosts.get(id);
    if (host == null) {
      throw new TrefoilException(
          Reason.NOT_FOUND,
          "there is no host " + id + " in the cluster; it was removed, or never joined");
    }
    return host;
  }

  void put(HostInfo host) {
    hosts.put(host.id(), host);
  }

  /** Whether the member's host runs, under that very incarnation. */
  boolean isAlive(Member member) {
    HostInfo host = hosts.get(member.host());
    return host != null && host.isAlive() && host.incarnation() == member.incarnation();
  }

  boolean isAlive(HostId id) {
    HostInfo host = hosts.get(id);
    return host != null && host.isAlive();
  }

  boolean hasPool(int replicas) {
    return before.table().pools().contains(replicas);
  }

  PgView group(int pg) {
    PgView changed = changedGroups.get(pg);
    return changed != null
        ? changed
        : before
            .table()
            .group(pg)
            .orElseThrow(
                () -> new TrefoilException(Reason.INVALID, "there is no placement group " + pg));
  }

  void put(PgView group) {
    changedGroups.put(group.pg(), group);
  }

  /** Every group as it is now. */
  List<PgView> groups() {
    Map<Integer, PgView> all = new TreeMap<>();
    before.table().groups().forEach(group -> all.put(group.pg(), group));
    all.putAll(changedGroups);
    return new ArrayList<>(all.values());
  }
}
