package org.trefoilfs.tools.library;

import static java.util.Comparator.comparingInt;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.transport.Message.HostReport;

/**
 * The room of a volume: how much can be written until the first host is full. Data goes to hosts by
 * weight, whatever their disks have left.
 */
final class Capacities {
  /** Inodes are rows in the state log, bounded by nothing else; df -i wants a number. */
  private static final long INODES = 1L << 32;

  private Capacities() {}

  /** A storage host's disk, and its weight in placement. */
  record Disk(long total, long usable, int weight) {}

  static Capacity of(ClusterView view, Map<HostId, HostReport> reports, int replicas) {
    List<Disk> disks = new ArrayList<>();
    for (HostInfo host : view.storageHosts()) {
      HostReport report = reports.get(host.id());
      if (report != null) {
        disks.add(new Disk(report.spaceTotal(), report.spaceUsable(), host.weight()));
      }
    }
    return of(disks, replicas);
  }

  static Capacity of(List<Disk> disks, int replicas) {
    return new Capacity(
        untilFull(disks, replicas, Disk::total),
        untilFull(disks, replicas, Disk::usable),
        INODES,
        INODES);
  }

  /**
   * The copies of a chunk are on different hosts: what is beyond one copy of a heavy host's part
   * goes to the lighter ones.
   */
  private static long untilFull(List<Disk> disks, int replicas, ToLongFunction<Disk> bytes) {
    double weights = disks.stream().mapToInt(Disk::weight).sum();
    double copies = replicas;
    long least = disks.isEmpty() ? 0 : Long.MAX_VALUE;
    for (Disk disk : disks.stream().sorted(comparingInt(Disk::weight).reversed()).toList()) {
      double share = Math.min(1, copies * disk.weight() / weights);
      least = Math.min(least, Math.round(bytes.applyAsLong(disk) / share));
      copies -= share;
      weights -= disk.weight();
    }
    return least;
  }

  /** Whether a host has nothing left but its reserve, which is there for removing things. */
  static boolean isFull(ClusterView view, Map<HostId, HostReport> reports) {
    return view.storageHosts().stream()
        .filter(host -> view.isAlive(host.id()))
        .map(host -> reports.get(host.id()))
        .anyMatch(report -> report != null && report.spaceUsable() == 0 && report.spaceTotal() > 0);
  }
}
