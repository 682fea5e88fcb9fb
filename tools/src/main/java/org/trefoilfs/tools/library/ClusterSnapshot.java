package org.trefoilfs.tools.library;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.trefoilfs.replication.host.MountReport;
import org.trefoilfs.replication.membership.AcceptedLoss;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.LostSpool;
import org.trefoilfs.replication.membership.SessionInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message.HostReport;

/**
 * The cluster at one moment.
 *
 * @param control who votes, and who leads
 * @param volumes including those being deleted
 * @param losses what operators have accepted
 * @param lostSpools of evicted mounts
 * @param mounts of the whole cluster
 * @param reports what each host last said of itself; a host that is missing here has not been heard
 */
public record ClusterSnapshot(
    Control control,
    List<HostInfo> hosts,
    List<VolumeInfo> volumes,
    Collection<PgView> groups,
    Map<HostId, HostReport> reports,
    List<AcceptedLoss> losses,
    List<LostSpool> lostSpools,
    Mounts mounts) {
  /** Who has mounted, and what each last said of itself, by its session. */
  public record Mounts(List<SessionInfo> sessions, Map<Long, MountReport> reports) {
    public static final Mounts NONE = new Mounts(List.of(), Map.of());
  }

  /** The state log's membership. */
  public record Control(String clusterId, Optional<HostId> leader, Set<HostId> voters) {}
}
