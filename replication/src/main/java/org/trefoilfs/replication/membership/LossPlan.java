package org.trefoilfs.replication.membership;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.ClusterCommand.Choice;
import org.trefoilfs.replication.membership.ClusterCommand.ForceReopen;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;

/**
 * What could be opened without the hosts that are missing, and from whom. Pure; as of one view of
 * the cluster, and of what its members said then.
 *
 * @param closed every closed group
 */
public record LossPlan(ClusterView view, List<Closed> closed) {
  /** What can be done about a closed group. */
  public enum Way {
    /** A member is missing; the others have said what they hold. */
    ACCEPT_LOSS,
    /** A member is missing, and one that runs has not said what it holds: ask again. */
    ASK_AGAIN,
    /** Every member is missing: whoever else has chunks of it was not in sync. */
    NONE,
    /** Nobody is missing: the leader opens it by itself. */
    OPENS_ALONE
  }

  /**
   * @param missing former in-sync members whose hosts are down
   * @param held the last write that each of the others says it holds
   */
  public record Closed(PgView group, Way way, List<HostId> missing, Map<HostId, Version> held) {
    public Closed {
      missing = List.copyOf(missing);
      held = Map.copyOf(held);
    }

    /** Those that hold the last write of all that was reported; they would open the group. */
    public List<HostId> latest() {
      return held.isEmpty() ? List.of() : Reopening.latest(group, held);
    }
  }

  public LossPlan {
    closed = List.copyOf(closed);
  }

  /** Whom to ask for the last writes of which groups: members that run, of groups that wait. */
  public static Map<HostId, List<Integer>> toAsk(ClusterView view) {
    Map<HostId, List<Integer>> groups = new HashMap<>();
    closedIn(view)
        .filter(group -> !missing(view, group).isEmpty())
        .forEach(
            group ->
                running(view, group)
                    .forEach(
                        host ->
                            groups.computeIfAbsent(host, _ -> new ArrayList<>()).add(group.pg())));
    return groups;
  }

  /**
   * @param reports by group and host, the last write it holds; who has not answered is left out
   */
  public static LossPlan of(ClusterView view, Map<Integer, Map<HostId, Version>> reports) {
    return new LossPlan(
        view,
        closedIn(view)
            .map(group -> closed(view, group, reports.getOrDefault(group.pg(), Map.of())))
            .toList());
  }

  private static Closed closed(ClusterView view, PgView group, Map<HostId, Version> reported) {
    List<HostId> missing = missing(view, group);
    List<HostId> running = running(view, group);
    Map<HostId, Version> held =
        running.stream()
            .filter(reported::containsKey)
            .collect(Collectors.toMap(Function.identity(), reported::get));
    return new Closed(group, way(missing, running, held), missing, held);
  }

  private static Way way(List<HostId> missing, List<HostId> running, Map<HostId, Version> held) {
    if (missing.isEmpty()) {
      return Way.OPENS_ALONE;
    }
    if (running.isEmpty()) {
      return Way.NONE;
    }
    return held.size() == running.size() ? Way.ACCEPT_LOSS : Way.ASK_AGAIN;
  }

  /** Hosts that closed groups wait for. */
  public List<HostInfo> missing() {
    return closed.stream()
        .flatMap(group -> group.missing().stream())
        .distinct()
        .sorted()
        .flatMap(id -> view.host(id).stream())
        .toList();
  }

  public List<Closed> openable() {
    return closed.stream().filter(group -> group.way() == Way.ACCEPT_LOSS).toList();
  }

  /** The commands that open all {@link #openable} groups; none when there is nothing to open. */
  public List<ForceReopen> commands(long id, long atMillis, String operator) {
    List<Reopen> reopens =
        openable().stream()
            .map(group -> Reopening.fromLatest(view, group.group(), group.held()))
            .toList();
    Choice choice =
        new Choice(
            id,
            atMillis,
            operator,
            openable().stream()
                .flatMap(group -> group.missing().stream())
                .distinct()
                .sorted()
                .toList());
    List<ForceReopen> commands = new ArrayList<>();
    for (int from = 0; from < reopens.size(); from += ClusterCommand.MAX_GROUPS) {
      int to = Math.min(reopens.size(), from + ClusterCommand.MAX_GROUPS);
      commands.add(new ForceReopen(reopens.subList(from, to), choice));
    }
    return commands;
  }

  private static Stream<PgView> closedIn(ClusterView view) {
    return view.placement().groups().stream().filter(group -> !group.isOpen());
  }

  private static List<HostId> missing(ClusterView view, PgView group) {
    return members(group).filter(host -> !view.isAlive(host)).toList();
  }

  private static List<HostId> running(ClusterView view, PgView group) {
    return members(group).filter(view::isAlive).toList();
  }

  private static Stream<HostId> members(PgView group) {
    return group.inSync().stream().map(Member::host);
  }
}
