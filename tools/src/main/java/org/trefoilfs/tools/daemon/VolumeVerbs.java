package org.trefoilfs.tools.daemon;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.library.Promises;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.library.VolumeUsage;
import org.trefoilfs.tools.status.StatusBuilder;

/** Makes and changes volumes, whoever asks: what makes no sense is refused with the remedy. */
final class VolumeVerbs {
  /** When {@code volume create} says nothing (DESIGN 1). */
  private static final int DEFAULT_REPLICAS = 3;

  private static final int MAX_REPLICAS = 7;

  private final RunningHost host;

  VolumeVerbs(RunningHost host) {
    this.host = host;
  }

  List<VolumeLine> list() {
    return host.latest().volumes().stream()
        .filter(volume -> !volume.deleted())
        .map(volume -> StatusBuilder.line(volume, usage(volume)))
        .toList();
  }

  /** A status without counts is better than none while there is no majority. */
  VolumeUsage usage(VolumeInfo volume) {
    try {
      return host.usage(volume);
    } catch (TrefoilException unavailable) {
      return StatusBuilder.UNKNOWN;
    }
  }

  VolumeLine create(VolumeArgument argument) {
    int replicas = Optional.ofNullable(argument.replicas()).orElse(DEFAULT_REPLICAS);
    checkReplicas(argument.name(), replicas);
    checkMinInSync(argument, replicas);
    Promises promises = promises(argument, CommitMode.SYNC, SpoolLimits.DEFAULT);
    VolumeInfo volume = host.createVolume(argument.name(), replicas, promises);
    return StatusBuilder.changed(host.snapshot(), volume, new VolumeUsage(0, 0));
  }

  private void checkReplicas(String name, int replicas) {
    if (replicas < 1 || replicas > MAX_REPLICAS) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume "
              + name
              + ": "
              + replicas
              + " replicas; give a number from 1 to "
              + MAX_REPLICAS);
    }
    long storage = host.snapshot().hosts().stream().filter(VolumeVerbs::stores).count();
    if (storage < replicas) {
      throw new TrefoilException(
          Reason.NOT_PERMITTED,
          "volume "
              + name
              + ": "
              + replicas
              + " replicas need as many storage hosts, and there are "
              + storage
              + "; start more, or give --replicas "
              + storage);
    }
  }

  private static void checkMinInSync(VolumeArgument argument, int replicas) {
    Integer wanted = argument.minInSync();
    if (wanted != null && (wanted < 1 || wanted > replicas)) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume %s: %d of %d replicas cannot have to be in sync; give --min-in-sync 1 to %d"
              .formatted(argument.name(), wanted, replicas, replicas));
    }
  }

  private static boolean stores(HostInfo info) {
    return !info.witness();
  }

  VolumeLine set(VolumeArgument argument) {
    VolumeInfo volume = Volumes.latest(host, argument.name());
    int replicas = Optional.ofNullable(argument.replicas()).orElse(volume.replicas());
    checkReplicas(argument.name(), replicas);
    checkMinInSync(argument, replicas);
    Promises promises = promises(argument, volume.commit(), volume.rpo());
    VolumeInfo changed = host.setVolume(volume, replicas, promises);
    return StatusBuilder.changed(host.snapshot(), changed, usage(changed));
  }

  private static Promises promises(VolumeArgument argument, CommitMode commit, SpoolLimits rpo) {
    return new Promises(
        Optional.ofNullable(argument.minInSync()).orElse(0),
        Optional.ofNullable(argument.commit()).orElse(commit),
        new SpoolLimits(
            Optional.ofNullable(argument.rpoMillis()).map(Duration::ofMillis).orElse(rpo.age()),
            Optional.ofNullable(argument.rpoBytes()).orElse(rpo.bytes())));
  }
}
