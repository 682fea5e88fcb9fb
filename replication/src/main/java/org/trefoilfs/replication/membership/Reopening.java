package org.trefoilfs.replication.membership;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.Rendezvous;

/** From which members a closed group opens. */
final class Reopening {
  /**
   * A later view first, as in Raft's election: whoever was written to in the last view has seen
   * what that view's primary made void, and a member that lost its unsynced tail may hold void
   * writes of higher numbers. Numbers decide within a view.
   */
  private static final Comparator<Version> BY_VIEW =
      Comparator.comparingLong(Version::view).thenComparingLong(Version::n);

  private Reopening() {}

  /** Members that need not be asked for their last writes: such as never stopped. */
  static List<HostId> unasked(ClusterView view, PgView group, Set<Member> live) {
    return group.inSync().stream()
        .filter(member -> view.isAlive(member) && live.contains(member))
        .map(Member::host)
        .toList();
  }

  /** Those with the last write, of the members that have reported; one must have. */
  static List<HostId> latest(PgView group, Map<HostId, Version> reported) {
    Version last = last(group, reported);
    return reporting(group, reported).filter(host -> last.equals(reported.get(host))).toList();
  }

  private static Version last(PgView group, Map<HostId, Version> reported) {
    return reporting(group, reported).map(reported::get).max(BY_VIEW).orElseThrow();
  }

  private static Stream<HostId> reporting(PgView group, Map<HostId, Version> reported) {
    return group.inSync().stream().map(Member::host).filter(reported::containsKey);
  }

  /** Opens the group from those that hold the last write that was reported. */
  static Reopen fromLatest(ClusterView view, PgView group, Map<HostId, Version> reported) {
    return from(view, group, latest(group, reported), Optional.of(last(group, reported)));
  }

  /** Opens the group from members that never stopped. */
  static Reopen fromUnstopped(ClusterView view, PgView group, Collection<HostId> able) {
    return from(view, group, able, Optional.empty());
  }

  /**
   * Opens the group from these hosts, one of them as primary. Each holds whatever was committed, so
   * each is in sync at once: what the last view left uncommitted is what its new primary has, and
   * the others take it over. All others that had to do with the group catch up.
   */
  private static Reopen from(
      ClusterView view, PgView group, Collection<HostId> able, Optional<Version> last) {
    List<HostInfo> hosts =
        view.hosts().values().stream().filter(h -> able.contains(h.id())).toList();
    HostId primary = Rendezvous.first(group.pg(), hosts);
    List<Member> members = new ArrayList<>();
    members.add(running(view, primary));
    able.stream().filter(host -> !host.equals(primary)).forEach(h -> members.add(running(view, h)));
    Set<HostId> joiners = new LinkedHashSet<>();
    group.inSync().forEach(member -> joiners.add(member.host()));
    joiners.addAll(group.joining());
    joiners.removeAll(able);
    return new Reopen(group.pg(), group.view(), members, new ArrayList<>(joiners), last);
  }

  private static Member running(ClusterView view, HostId host) {
    return new Member(host, view.host(host).orElseThrow().incarnation());
  }

  /** Whether the host runs as the state log says, and is heard. */
  static boolean runs(ClusterView view, HostId id, Set<Member> live) {
    return view.host(id)
        .filter(host -> host.isAlive() && live.contains(new Member(id, host.incarnation())))
        .isPresent();
  }
}
