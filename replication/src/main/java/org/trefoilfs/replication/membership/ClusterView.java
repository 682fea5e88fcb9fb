package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.PlacementMap;
import org.trefoilfs.replication.placement.PlacementTable;

/**
 * The whole cluster at one epoch. Immutable; its maps iterate in the order of their keys.
 *
 * @param clusterId empty before the cluster is created
 * @param volumes by name, those that are not deleted
 * @param volumesById with the deleted ones whose files are not gone yet
 * @param losses what operators have accepted, by the ids of their choices
 * @param lostSpools of evicted mounts, by their sessions
 * @param detection after how long of silence a host is lost
 */
public record ClusterView(
    String clusterId,
    Map<HostId, HostInfo> hosts,
    Map<String, VolumeInfo> volumes,
    Map<Integer, VolumeInfo> volumesById,
    Map<Long, SessionInfo> sessions,
    PlacementMap placement,
    Map<Long, AcceptedLoss> losses,
    Map<Long, LostSpool> lostSpools,
    Duration detection) {
  /**
   * log2 of the groups in a pool unless the cluster was created otherwise. With three replicas the
   * fullest host then has 1.08 times its share of 10 hosts, 1.20 of 30 and 1.46 of 100; with 2^12
   * 1.04, 1.06 and 1.20. But each group costs a host that returns its part: of three hosts on two
   * processors, one that was killed was in sync after 7.3 s, and with 2^12 after 12.3 s.
   */
  public static final int DEFAULT_BITS = 10;

  /** Of a cluster that was created without another: T of DESIGN 5. */
  public static final Duration DEFAULT_DETECTION = Duration.ofSeconds(2);

  /** A pause of a loaded machine, and of a collector, is shorter than half of it: the lease. */
  public static final Duration MIN_DETECTION = Duration.ofMillis(500);

  /** A host that is silent longer is missed by everybody who uses it. */
  public static final Duration MAX_DETECTION = Duration.ofSeconds(60);

  private static final ClusterView EMPTY =
      of("", Map.of(), Map.of(), Map.of(), PlacementTable.empty(0, DEFAULT_BITS));

  public ClusterView {
    hosts = sorted(hosts);
    volumes = sorted(volumes);
    volumesById = sorted(volumesById);
    sessions = sorted(sessions);
    losses = sorted(losses);
    lostSpools = sorted(lostSpools);
  }

  /** Before anything has happened; epoch 0. */
  public static ClusterView empty() {
    return EMPTY;
  }

  /** With the volumes' names taken from their rows, no losses, and the usual detection. */
  public static ClusterView of(
      String clusterId,
      Map<HostId, HostInfo> hosts,
      Map<Integer, VolumeInfo> volumesById,
      Map<Long, SessionInfo> sessions,
      PlacementMap placement) {
    Map<String, VolumeInfo> named = new TreeMap<>();
    for (VolumeInfo volume : volumesById.values()) {
      if (!volume.deleted()) {
        named.put(volume.name(), volume);
      }
    }
    return new ClusterView(
        clusterId,
        hosts,
        named,
        volumesById,
        sessions,
        placement,
        Map.of(),
        Map.of(),
        DEFAULT_DETECTION);
  }

  ClusterView with(
      Map<Long, AcceptedLoss> newLosses, Map<Long, LostSpool> newLost, Duration newDetection) {
    return new ClusterView(
        clusterId,
        hosts,
        volumes,
        volumesById,
        sessions,
        placement,
        newLosses,
        newLost,
        newDetection);
  }

  /** Grows with every change of anything in here; the placement map's too. */
  public long epoch() {
    return placement.epoch();
  }

  public Optional<HostInfo> host(HostId id) {
    return Optional.ofNullable(hosts.get(id));
  }

  public Optional<HostInfo> hostNamed(String name) {
    return hosts.values().stream().filter(host -> host.name().equals(name)).findFirst();
  }

  /** All that store chunks, whatever their state. */
  public List<HostInfo> storageHosts() {
    return hosts.values().stream().filter(host -> !host.witness()).toList();
  }

  /** Whether the member's host runs, under that very incarnation. */
  public boolean isAlive(Member member) {
    HostInfo host = hosts.get(member.host());
    return host != null && host.isAlive() && host.incarnation() == member.incarnation();
  }

  public boolean isAlive(HostId id) {
    HostInfo host = hosts.get(id);
    return host != null && host.isAlive();
  }

  /**
   * Whether a host that was in sync in {@code from}, or in a view between the two that was not
   * seen, and is not in {@code to}, may not know it yet, and serve reads until its lease ends. One
   * that is down has no lease; one that was removed from the cluster may have.
   */
  public boolean mayStillServe(PgView from, PgView to) {
    List<Member> left = new ArrayList<>(from.inSync());
    if (to.view() > from.view() + 1) {
      from.joining().forEach(joiner -> host(joiner).ifPresent(host -> left.add(member(host))));
      to.joining().forEach(joiner -> host(joiner).ifPresent(host -> left.add(member(host))));
    }
    left.removeAll(to.inSync());
    return left.stream().anyMatch(member -> !hosts.containsKey(member.host()) || isAlive(member));
  }

  private static Member member(HostInfo host) {
    return new Member(host.id(), host.incarnation());
  }

  /** What {@link ClusterDelta#apply} needs to bring a view of {@code epoch} up to this one. */
  public byte[] deltaSince(long epoch) {
    return ClusterDelta.since(this, epoch);
  }

  private static <K extends Comparable<K>, V> Map<K, V> sorted(Map<K, V> map) {
    return Collections.unmodifiableMap(new TreeMap<>(map));
  }
}
