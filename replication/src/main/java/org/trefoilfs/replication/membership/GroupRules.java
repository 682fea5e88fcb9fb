package org.trefoilfs.replication.membership;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.ClusterCommand.Change;
import org.trefoilfs.replication.membership.ClusterCommand.ChangeViews;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.membership.ClusterCommand.ReopenGroups;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.Rendezvous;

/**
 * How a group's configuration may change. An open group's in-sync members all run, each under its
 * recorded incarnation; every rule here keeps that. A closed group's in-sync set is what was in
 * sync when it closed, and only opening changes it.
 */
final class GroupRules {
  /** Members and joiners of one group: R, its substitutes, and room to spare. */
  static final int MAX_MEMBERS = 32;

  private GroupRules() {}

  // ---- what happens to members

  static void memberRestarted(Draft draft, PgView group, HostStarted command) {
    HostId host = command.host();
    if (group.joining().contains(host)) {
      // The primary is to start anew with it: what it held of the live stream may be gone.
      draft.put(group.next(group.primary(), group.inSync(), group.joining()));
    } else if (group.isOpen() && group.member(host).isPresent()) {
      List<Member> others = without(group.inSync(), host);
      List<Member> live =
          others.stream().filter(m -> command.live().contains(m) && draft.isAlive(m)).toList();
      if (live.isEmpty()) {
        draft.put(group.next(null, group.inSync(), group.joining()));
      } else {
        HostId primary = host.equals(group.primary()) ? elect(draft, group, live) : group.primary();
        draft.put(group.next(primary, others, with(group.joining(), host)));
      }
    }
  }

  static void membersLost(Draft draft, PgView group, Set<HostId> lost) {
    List<HostId> joining = group.joining().stream().filter(id -> !lost.contains(id)).toList();
    List<Member> left =
        group.inSync().stream().filter(member -> !lost.contains(member.host())).toList();
    boolean hit = group.isOpen() && left.size() < group.inSync().size();
    if (!hit) {
      if (joining.size() < group.joining().size()) {
        draft.put(group.next(group.primary(), group.inSync(), joining));
      }
    } else if (left.isEmpty()) {
      draft.put(group.next(null, group.inSync(), joining));
    } else {
      HostId primary = group.primary();
      boolean headless = primary == null || lost.contains(primary);
      draft.put(group.next(headless ? elect(draft, group, left) : primary, left, joining));
    }
  }

  // ---- ChangeViews

  static List<ChangeResult> change(Draft draft, ChangeViews command) {
    checkCount(command.changes());
    List<ChangeResult> results = new ArrayList<>(command.changes().size());
    for (Change change : command.changes()) {
      results.add(change(draft, change));
    }
    return results;
  }

  private static ChangeResult change(Draft draft, Change change) {
    PgView next = change.next();
    PgView now = draft.group(next.pg());
    if (now.view() != change.expectedView()) {
      return new ChangeResult.Refused(now);
    }
    checkShape(now, next);
    checkOrigin(draft, now, next);
    boolean joinersRun = next.joining().stream().allMatch(id -> now.holds(id) || draft.isAlive(id));
    if (!joinersRun) {
      return new ChangeResult.Refused(now);
    }
    PgView entered = next.with(now.reopened());
    draft.put(entered);
    return new ChangeResult.Applied(entered);
  }

  private static void checkShape(PgView now, PgView next) {
    Set<HostId> hosts = new HashSet<>(next.joining());
    next.inSync().forEach(member -> hosts.add(member.host()));
    require(next.view() == now.view() + 1, next, "its view must grow by one");
    require(now.isOpen(), next, "it is closed, and opens by ReopenGroups alone");
    require(!next.inSync().isEmpty(), next, "its in-sync set must not be empty");
    require(
        hosts.size() == next.inSync().size() + next.joining().size(),
        next,
        "a host may be in it only once");
    require(hosts.size() <= MAX_MEMBERS, next, "it has more than " + MAX_MEMBERS + " hosts");
    HostId primary = next.primary();
    require(
        primary == null || next.member(primary).isPresent(),
        next,
        "its primary must be in the in-sync set");
  }

  private static void checkOrigin(Draft draft, PgView now, PgView next) {
    for (Member member : next.inSync()) {
      boolean promoted = now.joining().contains(member.host()) && draft.isAlive(member);
      require(
          now.inSync().contains(member) || promoted,
          next,
          "member " + member.host() + " was neither in sync nor joining under that incarnation");
    }
    for (HostId joiner : next.joining()) {
      HostInfo host = draft.hosts.get(joiner);
      require(host != null && !host.witness(), next, "joiner " + joiner + " is no storage host");
    }
  }

  // ---- opening closed groups

  static List<ChangeResult> reopen(Draft draft, ReopenGroups command) {
    checkCount(command.groups());
    List<ChangeResult> results = new ArrayList<>(command.groups().size());
    for (Reopen reopen : command.groups()) {
      PgView now = draft.group(reopen.pg());
      boolean complete = now.inSync().stream().allMatch(m -> draft.isAlive(m.host()));
      boolean survivors = now.inSync().containsAll(reopen.members());
      results.add(open(draft, now, reopen, complete || survivors));
    }
    return results;
  }

  /**
   * Opens the group if the command's premises still hold.
   *
   * @param legal whether this command may open it
   */
  static ChangeResult open(Draft draft, PgView now, Reopen reopen, boolean legal) {
    Set<HostId> hosts = new LinkedHashSet<>();
    for (Member member : reopen.members()) {
      require(now.member(member.host()).isPresent(), now, member.host() + " was not in sync");
      require(hosts.add(member.host()), now, member.host() + " is named twice");
    }
    require(!hosts.isEmpty(), now, "it cannot open from nobody");
    boolean expected = now.view() == reopen.expectedView() && !now.isOpen();
    if (!expected || !legal || !reopen.members().stream().allMatch(draft::isAlive)) {
      return new ChangeResult.Refused(now);
    }
    List<HostId> joining =
        reopen.joiners().stream()
            .filter(id -> draft.isAlive(id) && !draft.host(id).witness())
            .filter(id -> !hosts.contains(id))
            .distinct()
            .toList();
    PgView next = now.next(hosts.iterator().next(), reopen.members(), joining);
    PgView opened = reopen.last().map(next::openedWith).orElse(next);
    draft.put(opened);
    return new ChangeResult.Applied(opened);
  }

  // ---- small change

  /** A new primary among members that run: each group's own choice, so that the load spreads. */
  private static HostId elect(Draft draft, PgView group, List<Member> candidates) {
    List<HostInfo> hosts = candidates.stream().map(member -> draft.host(member.host())).toList();
    return Rendezvous.first(group.pg(), hosts);
  }

  private static List<Member> without(List<Member> members, HostId host) {
    return members.stream().filter(member -> !member.host().equals(host)).toList();
  }

  private static List<HostId> with(List<HostId> hosts, HostId host) {
    List<HostId> more = new ArrayList<>(hosts);
    more.add(host);
    return more;
  }

  static void checkCount(Collection<?> groups) {
    if (groups.size() > ClusterCommand.MAX_GROUPS) {
      throw new TrefoilException(
          Reason.INVALID,
          groups.size()
              + " groups in one command are too many; at most "
              + ClusterCommand.MAX_GROUPS);
    }
  }

  private static void require(boolean holds, @Nullable PgView group, String rule) {
    if (!holds) {
      throw new TrefoilException(Reason.INVALID, "refused change of " + group + ": " + rule);
    }
  }
}
