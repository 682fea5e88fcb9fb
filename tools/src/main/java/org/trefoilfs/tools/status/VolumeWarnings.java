package org.trefoilfs.tools.status;

import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.library.ClusterSnapshot;

/** What a volume's settings do not survive. */
final class VolumeWarnings {
  private VolumeWarnings() {}

  /** Of settings that nobody has by default. */
  static List<String> lasting(VolumeInfo volume) {
    int least = volume.minInSync();
    if (least == 1 && least < VolumeInfo.usualMinInSync(volume.replicas())) {
      return List.of(oneCopy(volume));
    }
    return least == volume.replicas() && least > VolumeInfo.usualMinInSync(least)
        ? List.of(
            "volume %s: min in-sync %d of %d: writes stop while any of their hosts is away"
                .formatted(volume.name(), least, volume.replicas()))
        : List.of();
  }

  /** Said when the settings are chosen. */
  static List<String> whenSet(ClusterSnapshot snapshot, VolumeInfo volume) {
    List<String> warnings = new ArrayList<>(lasting(volume));
    if (warnings.isEmpty() && volume.minInSync() == 1 && volume.replicas() > 1) {
      warnings.add(oneCopy(volume));
    }
    if (volume.replicas() == 2) {
      Warnings.twoHosts(snapshot).ifPresent(warnings::add);
    }
    return List.copyOf(warnings);
  }

  private static String oneCopy(VolumeInfo volume) {
    return "volume %s: min in-sync 1 of %d: while its other hosts are away a write has one copy, and is lost with that host"
        .formatted(volume.name(), volume.replicas());
  }
}
