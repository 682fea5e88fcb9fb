package org.trefoilfs.tools.cli;

import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.status.Sizes;

/** Says what became of a volume. */
final class VolumeOutput {
  private VolumeOutput() {}

  static void print(Context context, VolumeLine volume, boolean json, String what) {
    if (json) {
      context.printJson(volume);
    } else {
      context
          .out()
          .printf(
              "volume %s %s: %d replicas, min in-sync %d, commit %s%s%n",
              volume.name(),
              what,
              volume.replicas(),
              volume.minInSync(),
              volume.commit(),
              bounds(volume));
      volume.warnings().forEach(context::warn);
    }
  }

  /** Of a sync volume the bounds hold for directories that are told otherwise; nobody asks. */
  private static String bounds(VolumeLine volume) {
    return volume.commit().equals("async")
        ? ", RPO "
            + Sizes.seconds(volume.rpoMillis() / 1e3)
            + " and "
            + Sizes.bytes(volume.rpoBytes())
        : "";
  }
}
