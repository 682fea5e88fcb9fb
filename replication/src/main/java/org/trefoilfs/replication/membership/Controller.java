package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.ClusterCommand.Change;
import org.trefoilfs.replication.membership.ClusterCommand.ChangeViews;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.membership.ClusterCommand.ReopenGroups;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.Placement;
import org.trefoilfs.replication.placement.Pools;

/**
 * What the state log's leader does about the cluster: declares hosts lost, opens closed groups,
 * lets hosts join the groups that they are to hold. Looks at a view, answers with commands; every
 * one of them may fail or be repeated. Not thread-safe. {@link FailureDetector} says how commands
 * are to be submitted.
 */
public final class Controller {
  /** A host that is down longer is replaced: long enough for a reboot or an upgrade. */
  public static final Duration REPLACE_AFTER = Duration.ofMinutes(10);

  private final FailureDetector detector;
  private final TimeSource time;
  private final Duration replaceAfter;
  private final Map<HostId, Long> downSince = new HashMap<>();
  private final Map<Integer, List<HostId>> desired = new HashMap<>();
  private List<Stake> stakes = List.of();
  private @Nullable Quiet quiet;

  /** All that placement depends on, of one host. */
  private record Stake(HostId id, int weight, String domain) {}

  /** Circumstances under which no group had to move. */
  private record Quiet(long epoch, List<Stake> stakes, Set<Member> live) {}

  public Controller(FailureDetector detector, TimeSource time) {
    this(detector, time, REPLACE_AFTER);
  }

  public Controller(FailureDetector detector, TimeSource time, Duration replaceAfter) {
    this.detector = detector;
    this.time = time;
    this.replaceAfter = replaceAfter;
  }

  /**
   * The commands that are due, in order. To be called several times per detection time while
   * leading, each time with the newest view, after the last commands are done or have failed.
   */
  public List<ClusterCommand> tick(ClusterView view) {
    detector.observe(view);
    List<Member> lost = detector.lost();
    if (!lost.isEmpty()) {
      return List.of(new HostsLost(view.epoch(), lost));
    }
    Set<Member> live = detector.live();
    List<HostInfo> hosts = hostsToPlaceOn(view);
    Quiet now = new Quiet(view.epoch(), stakes, live);
    if (now.equals(quiet)) {
      return List.of();
    }
    List<ClusterCommand> commands = new ArrayList<>();
    commands.addAll(reopenUnasked(view, live));
    commands.addAll(rebalance(view, hosts, live));
    quiet = commands.isEmpty() ? now : null;
    return commands;
  }

  // ---- closed groups

  /**
   * Which hosts to ask for the last writes of which closed groups: those whose in-sync members are
   * all up again. Pass the answers, and this same view, to {@link #reopen}: a host that restarts
   * meanwhile is then found out by its incarnation.
   */
  public Map<HostId, List<Integer>> groupsToReopen(ClusterView view) {
    Set<Member> live = detector.live();
    Map<HostId, List<Integer>> groups = new HashMap<>();
    for (PgView group : view.placement().groups()) {
      if (isToBeAsked(view, group, live)) {
        for (Member member : group.inSync()) {
          groups.computeIfAbsent(member.host(), host -> new ArrayList<>()).add(group.pg());
        }
      }
    }
    return groups;
  }

  /**
   * Opens those closed groups of which every in-sync member has reported, each from the member with
   * the last write; equal ones share the groups out.
   *
   * @param reports by group and host, the last write it holds
   */
  public List<ClusterCommand> reopen(ClusterView view, Map<Integer, Map<HostId, Version>> reports) {
    Set<Member> live = detector.live();
    List<Reopen> reopens = new ArrayList<>();
    for (PgView group : view.placement().groups()) {
      Map<HostId, Version> reported = reports.getOrDefault(group.pg(), Map.of());
      boolean complete =
          group.inSync().stream().allMatch(member -> reported.containsKey(member.host()));
      if (complete && isToBeAsked(view, group, live)) {
        reopens.add(Reopening.fromLatest(view, group, reported));
      }
    }
    return batches(reopens, ReopenGroups::new);
  }

  /** A member that never stopped holds all that was committed. */
  private static List<ClusterCommand> reopenUnasked(ClusterView view, Set<Member> live) {
    List<Reopen> reopens = new ArrayList<>();
    for (PgView group : view.placement().groups()) {
      if (!group.isOpen()) {
        List<HostId> able = Reopening.unasked(view, group, live);
        if (!able.isEmpty()) {
          reopens.add(Reopening.fromUnstopped(view, group, able));
        }
      }
    }
    return batches(reopens, ReopenGroups::new);
  }

  private static boolean isToBeAsked(ClusterView view, PgView group, Set<Member> live) {
    return !group.isOpen()
        && group.inSync().stream().allMatch(member -> view.isAlive(member.host()))
        && Reopening.unasked(view, group, live).isEmpty();
  }

  // ---- placement

  private List<ClusterCommand> rebalance(ClusterView view, List<HostInfo> hosts, Set<Member> live) {
    List<Change> changes = new ArrayList<>();
    for (PgView group : view.placement().groups()) {
      int replicas = Pools.pool(group.pg());
      List<HostId> wanted =
          desired.computeIfAbsent(group.pg(), pg -> Placement.desired(pg, replicas, hosts));
      Rebalance.step(group, wanted, replicas, host -> Reopening.runs(view, host, live))
          .ifPresent(next -> changes.add(new Change(group.view(), next)));
    }
    return batches(changes, ChangeViews::new);
  }

  /** Hosts that are eligible and not away for too long; drops what was computed for others. */
  private List<HostInfo> hostsToPlaceOn(ClusterView view) {
    long now = time.nanoTime();
    downSince.keySet().removeIf(view::isAlive);
    List<HostInfo> hosts = new ArrayList<>();
    List<Stake> present = new ArrayList<>();
    for (HostInfo host : view.hosts().values()) {
      boolean away =
          !host.isAlive()
              && now - downSince.computeIfAbsent(host.id(), id -> now) >= replaceAfter.toNanos();
      if (Placement.isEligible(host) && !away) {
        hosts.add(host);
        present.add(new Stake(host.id(), host.weight(), host.domain()));
      }
    }
    if (!present.equals(stakes)) {
      stakes = List.copyOf(present);
      desired.clear();
    }
    return hosts;
  }

  private static <T> List<ClusterCommand> batches(
      List<T> items, Function<List<T>, ClusterCommand> command) {
    List<ClusterCommand> commands = new ArrayList<>();
    for (int from = 0; from < items.size(); from += ClusterCommand.MAX_GROUPS) {
      int to = Math.min(items.size(), from + ClusterCommand.MAX_GROUPS);
      commands.add(command.apply(items.subList(from, to)));
    }
    return commands;
  }
}
