package org.trefoilfs.tools.status;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.transport.Message.CatchUp;
import org.trefoilfs.replication.transport.Message.HostReport;
import org.trefoilfs.tools.admin.Messages.Disk;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.VolumeUsage;
import org.trefoilfs.tools.recover.RecoverBuilder;
import org.trefoilfs.tools.status.StatusReport.Activity;
import org.trefoilfs.tools.status.StatusReport.CatchingUp;
import org.trefoilfs.tools.status.StatusReport.Groups;
import org.trefoilfs.tools.status.StatusReport.Summary;

/** Counts and judges a snapshot of the cluster. Pure. */
public final class StatusBuilder {
  /** Shown for a volume whose files cannot be counted, because no majority answers. */
  public static final VolumeUsage UNKNOWN = new VolumeUsage(-1, -1);

  private static final HostReport SILENT = new HostReport(false, 0, 0, CatchUp.NONE);

  private StatusBuilder() {}

  public static StatusReport build(
      ClusterSnapshot snapshot, Map<Integer, VolumeUsage> usage, List<MountLine> mounts) {
    List<HostLine> hosts = hosts(snapshot);
    Groups groups = count(snapshot);
    List<CatchingUp> catchingUp = catchingUp(snapshot);
    boolean inSync =
        groups.inSync() == groups.total()
            && catchingUp.isEmpty()
            && hosts.stream().allMatch(host -> host.state().equals("up"));
    return new StatusReport(
        new Summary(snapshot.control().clusterId(), inSync, groups),
        hosts,
        volumes(snapshot, usage),
        new Activity(
            catchingUp,
            mounts,
            RpoBuilder.windows(snapshot),
            RpoBuilder.losses(snapshot),
            RecoverBuilder.lines(snapshot)),
        Warnings.of(snapshot, hosts, groups, mounts));
  }

  public static List<HostLine> hosts(ClusterSnapshot snapshot) {
    return snapshot.hosts().stream()
        .sorted(Comparator.comparing(HostInfo::id))
        .map(host -> line(snapshot, host))
        .toList();
  }

  private static HostLine line(ClusterSnapshot snapshot, HostInfo host) {
    HostReport report = report(snapshot, host);
    // The state log hears of a death a moment after the leader's heartbeats do.
    HostState state =
        host.state() == HostState.UP && !report.alive() ? HostState.DOWN : host.state();
    return new HostLine(
        host.id().toString(),
        host.name(),
        host.address().toString(),
        state.name().toLowerCase(Locale.ROOT),
        role(snapshot, host),
        new Disk(report.alive(), report.spaceTotal(), report.spaceUsable()));
  }

  private static String role(ClusterSnapshot snapshot, HostInfo host) {
    if (snapshot.control().leader().filter(host.id()::equals).isPresent()) {
      return "leader";
    }
    if (host.witness()) {
      return "witness";
    }
    return snapshot.control().voters().contains(host.id()) ? "voter" : "storage";
  }

  private static HostReport report(ClusterSnapshot snapshot, HostInfo host) {
    return snapshot.reports().getOrDefault(host.id(), SILENT);
  }

  static List<VolumeLine> volumes(ClusterSnapshot snapshot, Map<Integer, VolumeUsage> usage) {
    return snapshot.volumes().stream()
        .filter(volume -> !volume.deleted())
        .sorted(Comparator.comparing(VolumeInfo::name))
        .map(volume -> line(volume, usage.getOrDefault(volume.id(), UNKNOWN)))
        .toList();
  }

  public static VolumeLine line(VolumeInfo volume, VolumeUsage usage) {
    return line(volume, usage, VolumeWarnings.lasting(volume));
  }

  /** The same, with what should be known by whoever just chose its settings. */
  public static VolumeLine changed(ClusterSnapshot snapshot, VolumeInfo volume, VolumeUsage usage) {
    return line(volume, usage, VolumeWarnings.whenSet(snapshot, volume));
  }

  private static VolumeLine line(VolumeInfo volume, VolumeUsage usage, List<String> warnings) {
    return new VolumeLine(
        volume.name(),
        volume.replicas(),
        volume.minInSync(),
        volume.commit().name().toLowerCase(Locale.ROOT),
        volume.rpo().age().toMillis(),
        volume.rpo().bytes(),
        usage.files(),
        usage.bytes(),
        warnings);
  }

  /** What so few hosts cannot survive. */
  public static List<String> survival(ClusterSnapshot snapshot) {
    return Warnings.twoHosts(snapshot).stream().toList();
  }

  private static Groups count(ClusterSnapshot snapshot) {
    int inSync = 0;
    int degraded = 0;
    int unavailable = 0;
    Map<Integer, Integer> needed = new HashMap<>();
    for (PgView group : snapshot.groups()) {
      int replicas = Pools.pool(group.pg());
      if (!group.isOpen()
          || group.inSync().size()
              < needed.computeIfAbsent(replicas, pool -> minInSync(snapshot, pool))) {
        unavailable++;
      } else if (group.inSync().size() < replicas) {
        degraded++;
      } else {
        inSync++;
      }
    }
    return new Groups(snapshot.groups().size(), inSync, degraded, unavailable);
  }

  /** Below it the writes of at least one volume wait. */
  private static int minInSync(ClusterSnapshot snapshot, int replicas) {
    return snapshot.volumes().stream()
        .filter(volume -> !volume.deleted() && volume.replicas() == replicas)
        .mapToInt(VolumeInfo::minInSync)
        .max()
        .orElse(VolumeInfo.usualMinInSync(replicas));
  }

  private static List<CatchingUp> catchingUp(ClusterSnapshot snapshot) {
    List<CatchingUp> lines = new ArrayList<>();
    for (HostInfo host : snapshot.hosts()) {
      HostReport report = report(snapshot, host);
      CatchUp progress = report.catchUp();
      if (report.alive() && progress.groupsLeft() > 0) {
        long rate = progress.bytesPerSecond();
        long eta = rate > 0 ? (progress.bytesLeft() + rate - 1) / rate : -1;
        lines.add(
            new CatchingUp(host.name(), progress.groupsLeft(), progress.bytesLeft(), rate, eta));
      }
    }
    return lines;
  }
}
