package org.trefoilfs.tools.status;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.status.StatusReport.Groups;

/** What an operator should know or do, in words. */
final class Warnings {
  /** A disk with less than this part left is worth a word before it is full. */
  private static final double LOW_SPACE = 0.05;

  private Warnings() {}

  static List<String> of(
      ClusterSnapshot snapshot, List<HostLine> hosts, Groups groups, List<MountLine> mounts) {
    List<String> warnings = new ArrayList<>();
    quorum(snapshot, warnings);
    for (HostLine host : hosts) {
      health(host, warnings);
    }
    groups(groups, warnings);
    closed(snapshot, warnings);
    snapshot.volumes().stream()
        .filter(volume -> !volume.deleted())
        .forEach(volume -> warnings.addAll(VolumeWarnings.lasting(volume)));
    for (MountLine mount : mounts) {
      if (!mount.problem().isEmpty()) {
        warnings.add("mount " + mount.directory() + ": " + mount.problem());
      }
    }
    return List.copyOf(warnings);
  }

  private static void quorum(ClusterSnapshot snapshot, List<String> warnings) {
    if (snapshot.control().leader().isEmpty()) {
      warnings.add("no leader: a majority of the voters must be up before anything can be written");
    }
    long storage = snapshot.hosts().stream().filter(host -> !host.witness()).count();
    if (storage == 1) {
      warnings.add("one host: nothing is replicated; start others with --join");
    }
    twoHosts(snapshot).ifPresent(warnings::add);
  }

  /**
   * Two hosts have no majority without each other, so one of them votes alone: the cluster does not
   * outlive that one.
   */
  static Optional<String> twoHosts(ClusterSnapshot snapshot) {
    long storage = snapshot.hosts().stream().filter(host -> !host.witness()).count();
    boolean witness = snapshot.hosts().stream().anyMatch(HostInfo::witness);
    if (storage != 2 || witness) {
      return Optional.empty();
    }
    String voters =
        snapshot.hosts().stream()
            .filter(host -> snapshot.control().voters().contains(host.id()))
            .map(HostInfo::name)
            .collect(Collectors.joining(" or "));
    return Optional.of(
        "two hosts without a witness: they do not survive the loss of "
            + (voters.isEmpty() ? "one of them" : voters)
            + ", without which nothing can be written or looked up; start a third host, or one with"
            + " --witness");
  }

  private static void health(HostLine host, List<String> warnings) {
    if (host.state().equals("down")) {
      warnings.add("host " + host.name() + " is down: start it again, and it catches up by itself");
    } else if (host.space().total() > 0
        && host.space().usable() < host.space().total() * LOW_SPACE) {
      warnings.add(
          "host "
              + host.name()
              + ": only "
              + Sizes.bytes(host.space().usable())
              + " of its disk are left; writes fail with ENOSPC when it is full");
    }
  }

  private static void closed(ClusterSnapshot snapshot, List<String> warnings) {
    Map<HostId, HostInfo> hosts = new TreeMap<>();
    snapshot.hosts().forEach(host -> hosts.put(host.id(), host));
    TreeSet<String> missing = new TreeSet<>();
    for (PgView group : snapshot.groups()) {
      if (!group.isOpen()) {
        group.inSync().stream()
            .map(member -> hosts.get(member.host()))
            .filter(host -> host != null && !host.isAlive())
            .forEach(host -> missing.add(host.name()));
      }
    }
    if (!missing.isEmpty()) {
      warnings.add(
          "placement groups are closed for want of "
              + String.join(", ", missing)
              + ": they open by themselves when it runs again; if it is gone for good, see: trefoil"
              + " recover");
    }
  }

  private static void groups(Groups groups, List<String> warnings) {
    if (groups.unavailable() > 0) {
      warnings.add(
          groups.unavailable()
              + " placement groups are unavailable: writes to them wait until enough of their"
              + " hosts are back");
    }
    if (groups.degraded() > 0) {
      warnings.add(groups.degraded() + " placement groups have fewer replicas than they should");
    }
  }
}
