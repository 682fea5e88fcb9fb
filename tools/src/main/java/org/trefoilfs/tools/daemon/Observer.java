package org.trefoilfs.tools.daemon;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.tools.Build;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.observe.Observation;
import org.trefoilfs.tools.observe.ObservationServer;
import org.trefoilfs.tools.observe.ProcessFigures;
import org.trefoilfs.tools.status.StatusBuilder;
import org.trefoilfs.tools.status.StatusReport;

/** Looks at a host that runs, and at its cluster as that host knows it. */
final class Observer implements ObservationServer.Observed {
  private final RunningHost host;
  private final KeptMounts mounts;
  private final VolumeCounts counts;

  Observer(RunningHost host, KeptMounts mounts, VolumeVerbs volumes) {
    this.host = host;
    this.mounts = mounts;
    this.counts = new VolumeCounts(volumes);
  }

  StatusReport status() {
    return status(host.snapshot());
  }

  private StatusReport status(ClusterSnapshot snapshot) {
    return StatusBuilder.build(
        snapshot, counts.of(snapshot.volumes()), new ClusterMounts(host, mounts).all(snapshot));
  }

  @Override
  public Observation look() {
    ClusterSnapshot snapshot = host.snapshot();
    return new Observation(
        host.identity().name(),
        Build.version(),
        status(snapshot),
        placement(snapshot),
        mounts.figures(),
        ProcessFigures.ofThisProcess());
  }

  /** Counts a host's groups. */
  private static final class Held {
    int primary;
    int inSync;
    int joining;
  }

  private static List<Observation.Share> placement(ClusterSnapshot snapshot) {
    Map<HostId, Held> held = new TreeMap<>();
    snapshot.hosts().forEach(each -> held.put(each.id(), new Held()));
    for (PgView group : snapshot.groups()) {
      if (group.primary() != null && held.get(group.primary()) instanceof Held of) {
        of.primary++;
      }
      for (PgView.Member member : group.inSync()) {
        if (held.get(member.host()) instanceof Held of) {
          of.inSync++;
        }
      }
      for (HostId joiner : group.joining()) {
        if (held.get(joiner) instanceof Held of) {
          of.joining++;
        }
      }
    }
    return snapshot.hosts().stream()
        .sorted(Comparator.comparing(HostInfo::id))
        .map(each -> share(each.name(), held.getOrDefault(each.id(), new Held())))
        .toList();
  }

  private static Observation.Share share(String host, Held held) {
    return new Observation.Share(host, held.primary, held.inSync, held.joining);
  }

  @Override
  public List<String> notReady() {
    List<String> reasons = new ArrayList<>();
    if (host.snapshot().control().leader().isEmpty()) {
      reasons.add(
          "this host is out of touch with a majority of those that vote: they must run and reach it");
    }
    for (MountLine line : mounts.lines()) {
      if (line.state().equals("waiting")) {
        reasons.add(line.directory() + " is not mounted yet: " + line.problem());
      }
    }
    return reasons;
  }
}
