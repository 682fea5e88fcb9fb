package org.trefoilfs.tools.library;

import java.util.Map;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.transport.Message.HostReport;

/** The room of a volume: that of all storage hosts that are heard, shared by the replicas. */
final class Capacities {
  /** Inodes are rows in the state log, bounded by nothing else; df -i wants a number. */
  private static final long INODES = 1L << 32;

  private Capacities() {}

  static Capacity of(ClusterView view, Map<HostId, HostReport> reports, VolumeInfo volume) {
    long total = 0;
    long usable = 0;
    for (HostInfo host : view.storageHosts()) {
      HostReport report = reports.get(host.id());
      if (report != null) {
        total += report.spaceTotal();
        usable += report.spaceUsable();
      }
    }
    return new Capacity(total / volume.replicas(), usable / volume.replicas(), INODES, INODES);
  }
}
