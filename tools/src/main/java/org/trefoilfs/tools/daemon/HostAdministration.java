package org.trefoilfs.tools.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.admin.Messages.HostLeave;
import org.trefoilfs.tools.admin.Messages.HostRemoved;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.RunningHost;

/** Takes hosts out of the cluster. */
final class HostAdministration {
  private final RunningHost host;

  HostAdministration(RunningHost host) {
    this.host = host;
  }

  Nothing leave(HostLeave argument) {
    host.setLeaving(named(host.latest(), argument.name()).id(), argument.leaving());
    return new Nothing();
  }

  /** A host that runs would go on, and not know that it belongs nowhere. */
  HostRemoved remove(String name) {
    ClusterSnapshot snapshot = host.latest();
    HostInfo gone = named(snapshot, name);
    if (gone.isAlive()) {
      throw new TrefoilException(
          Reason.BUSY,
          "host %1$s: it runs, or did a moment ago; empty it with 'trefoil host leave %1$s', stop it with 'trefoil host stop' on its machine, and remove it then"
              .formatted(gone.name()));
    }
    host.removeHost(gone.id());
    return new HostRemoved(gone.name(), shortages(snapshot, gone));
  }

  /** Volumes that want more hosts than are left. */
  private static List<String> shortages(ClusterSnapshot snapshot, HostInfo gone) {
    long left =
        snapshot.hosts().stream().filter(h -> !h.witness() && !h.id().equals(gone.id())).count();
    List<String> shortages = new ArrayList<>();
    for (VolumeInfo volume : snapshot.volumes()) {
      if (!gone.witness() && !volume.deleted() && volume.replicas() > left) {
        shortages.add(
            "volume %s wants %d replicas, and %d storage hosts are left; start another with --join"
                .formatted(volume.name(), volume.replicas(), left));
      }
    }
    return shortages;
  }

  private static HostInfo named(ClusterSnapshot snapshot, String name) {
    return snapshot.hosts().stream()
        .filter(info -> info.name().equals(name) || info.id().toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new TrefoilException(
                    Reason.NOT_FOUND,
                    "host "
                        + name
                        + ": there is no such host; the hosts are "
                        + snapshot.hosts().stream()
                            .map(HostInfo::name)
                            .sorted()
                            .collect(Collectors.joining(", "))));
  }
}
