package org.trefoilfs.tools.status;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.LostLine;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.recover.LossHistory;
import org.trefoilfs.tools.status.StatusReport.CatchingUp;
import org.trefoilfs.tools.status.StatusReport.Groups;

/** Draws a status for people. */
public final class StatusText {
  private StatusText() {}

  public static String of(StatusReport status) {
    StringBuilder out = new StringBuilder();
    out.append("cluster ").append(status.cluster().id()).append(": ");
    out.append(status.cluster().inSync() ? "all in sync" : "not in sync").append("\n\n");
    out.append(hosts(status.hosts(), status.activity().catchingUp()));
    out.append('\n').append(volumes(status.volumes()));
    if (status.cluster().groups().total() > 0) {
      out.append('\n').append(groups(status.cluster().groups()));
    }
    if (!status.activity().mounts().isEmpty()) {
      out.append('\n').append(mounts(status.activity().mounts()));
    }
    if (!status.activity().rpo().isEmpty()) {
      out.append('\n').append(rpo(status.activity().rpo()));
    }
    List<LostLine> lost = status.activity().lost();
    if (!lost.isEmpty()) {
      out.append("\nevicted mounts that had not shipped all they had acknowledged: ");
      out.append(lost.size()).append(", the last ").append(lost.getLast().mount());
      out.append(" at ").append(lost.getLast().time()).append("; see: trefoil lost list\n");
    }
    List<LossHistory.Line> losses = status.activity().acceptedLosses();
    if (!losses.isEmpty()) {
      LossHistory.Line last = losses.getLast();
      out.append("\nlosses accepted: ").append(losses.size());
      out.append(", the last at ").append(last.time()).append(" by ").append(last.operator());
      out.append("; see: trefoil recover --history\n");
    }
    if (!status.warnings().isEmpty()) {
      out.append('\n');
      status.warnings().forEach(warning -> out.append("warning: ").append(warning).append('\n'));
    }
    return out.toString();
  }

  public static String hosts(List<HostLine> hosts, List<CatchingUp> catchingUp) {
    Map<String, String> progress = new HashMap<>();
    catchingUp.forEach(one -> progress.put(one.host(), progress(one)));
    Table table =
        progress.isEmpty()
            ? new Table("HOST", "NAME", "ADDRESS", "STATE", "ROLE", "FREE", "DISK")
            : new Table("HOST", "NAME", "ADDRESS", "STATE", "ROLE", "FREE", "DISK", "CATCHING UP");
    for (HostLine host : hosts) {
      String free = host.space().alive() ? Sizes.bytes(host.space().usable()) : "?";
      String disk = host.space().alive() ? Sizes.bytes(host.space().total()) : "?";
      if (progress.isEmpty()) {
        table.row(host.id(), host.name(), host.address(), host.state(), host.role(), free, disk);
      } else {
        String line = progress.getOrDefault(host.name(), "-");
        table.row(
            host.id(), host.name(), host.address(), host.state(), host.role(), free, disk, line);
      }
    }
    return table.render();
  }

  private static String progress(CatchingUp one) {
    return one.groupsLeft()
        + " groups, "
        + Sizes.bytes(one.bytesLeft())
        + " left, "
        + Sizes.bytes(one.bytesPerSecond())
        + "/s, ready in "
        + Sizes.seconds(one.etaSeconds());
  }

  public static String volumes(List<VolumeLine> volumes) {
    if (volumes.isEmpty()) {
      return "no volumes; create one with: trefoil volume create NAME\n";
    }
    Table table = new Table("VOLUME", "REPLICAS", "MIN IN-SYNC", "COMMIT", "FILES", "SIZE");
    for (VolumeLine volume : volumes) {
      table.row(
          volume.name(),
          Integer.toString(volume.replicas()),
          Integer.toString(volume.minInSync()),
          volume.commit(),
          Sizes.count(volume.files()),
          Sizes.bytes(volume.bytes()));
    }
    return table.render();
  }

  /** What would be lost now, and the worst that it was. */
  private static String rpo(List<StatusReport.Rpo> windows) {
    Table table =
        new Table("ASYNC MOUNT", "VOLUME", "LOST IF IT DIED NOW", "WORST", "BOUND", "SLOWED");
    for (StatusReport.Rpo window : windows) {
      table.row(
          window.mount(),
          window.volume(),
          amount(window.seconds(), window.bytes()),
          amount(window.worstSeconds(), window.worstBytes()),
          amount(window.boundSeconds(), window.boundBytes()),
          Sizes.seconds(window.slowedSeconds()));
    }
    return table.render();
  }

  private static String amount(double seconds, long bytes) {
    return bytes == 0 ? "nothing" : Sizes.seconds(seconds) + ", " + Sizes.bytes(bytes);
  }

  private static String groups(Groups groups) {
    return new Table("GROUPS", "IN SYNC", "DEGRADED", "UNAVAILABLE")
        .row(
            Integer.toString(groups.total()),
            Integer.toString(groups.inSync()),
            Integer.toString(groups.degraded()),
            Integer.toString(groups.unavailable()))
        .render();
  }

  public static String mounts(List<MountLine> mounts) {
    Table table = new Table("MOUNT", "VOLUME", "HOST", "STATE");
    for (MountLine mount : mounts) {
      table.row(mount.directory(), mount.volume(), mount.host(), mount.state());
    }
    return table.render();
  }
}
