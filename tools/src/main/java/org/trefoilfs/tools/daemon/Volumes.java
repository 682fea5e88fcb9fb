package org.trefoilfs.tools.daemon;

import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.library.ClusterSnapshot;

/** Finds volumes by the names that users know. */
public final class Volumes {
  private Volumes() {}

  /** NOT_FOUND, with the names that exist. */
  public static VolumeInfo find(ClusterSnapshot snapshot, String name) {
    return snapshot.volumes().stream()
        .filter(volume -> !volume.deleted() && volume.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new TrefoilException(Reason.NOT_FOUND, unknown(snapshot, name)));
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
