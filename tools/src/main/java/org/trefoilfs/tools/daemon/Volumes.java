package org.trefoilfs.tools.daemon;

import java.util.Optional;
import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.library.ClusterAccess;
import org.trefoilfs.tools.library.ClusterSnapshot;

/** Finds volumes by the names that users know. */
public final class Volumes {
  private Volumes() {}

  /**
   * The volume, even if it was created elsewhere a moment ago. NOT_FOUND, with the names that
   * exist; UNAVAILABLE when it is unknown here and no majority can say more.
   */
  public static VolumeInfo find(ClusterAccess cluster, String name) {
    Optional<VolumeInfo> known = named(cluster.snapshot(), name);
    if (known.isPresent()) {
      return known.get();
    }
    return latest(cluster, name);
  }

  /** The volume as it is set now: who changes a part of it must not put the rest back. */
  public static VolumeInfo latest(ClusterAccess cluster, String name) {
    ClusterSnapshot latest = cluster.latest();
    return named(latest, name)
        .orElseThrow(() -> new TrefoilException(Reason.NOT_FOUND, unknown(latest, name)));
  }

  private static Optional<VolumeInfo> named(ClusterSnapshot snapshot, String name) {
    return snapshot.volumes().stream()
        .filter(volume -> !volume.deleted() && volume.name().equals(name))
        .findFirst();
  }

  private static String unknown(ClusterSnapshot snapshot, String name) {
    String existing =
        snapshot.volumes().stream()
            .filter(volume -> !volume.deleted())
            .map(VolumeInfo::name)
            .sorted()
            .collect(Collectors.joining(", "));
    return "volume "
        + name
        + ": there is no such volume; "
        + (existing.isEmpty()
            ? "create it with: trefoil volume create " + name
            : "the volumes are " + existing);
  }
}
