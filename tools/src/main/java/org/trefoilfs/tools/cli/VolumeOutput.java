package org.trefoilfs.tools.cli;

import org.trefoilfs.tools.admin.Messages.VolumeLine;

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
              "volume %s %s: %d replicas, min in-sync %d, commit %s%n",
              volume.name(), what, volume.replicas(), volume.minInSync(), volume.commit());
      volume.warnings().forEach(context::warn);
    }
  }
}
