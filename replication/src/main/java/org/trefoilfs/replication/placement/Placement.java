package org.trefoilfs.replication.placement;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.placement.PgView.Member;

/** Where groups belong, computed by whoever proposes it and then kept as a table. */
public final class Placement {
  private Placement() {}

  /** Whether a host is to hold groups at all: it stores chunks, has started once and stays. */
  public static boolean isEligible(HostInfo host) {
    return !host.witness() && !host.leaving() && host.state() != HostState.JOINING;
  }

  /**
   * The hosts that are to hold a group, best first; fewer than {@code replicas} when there are
   * fewer. Hosts that are down count: a short absence moves nothing.
   */
  public static List<HostId> desired(int pg, int replicas, Collection<HostInfo> hosts) {
    List<HostInfo> eligible = hosts.stream().filter(Placement::isEligible).toList();
    return Rendezvous.rank(pg, eligible).stream().limit(replicas).map(HostInfo::id).toList();
  }

  /**
   * The first views of a new pool on those of the hosts that are alive: everyone in sync, primaries
   * spread evenly by weight. A group has fewer members than {@code replicas} when there are fewer
   * hosts.
   */
  public static List<PgView> initial(int replicas, int bits, Collection<HostInfo> hosts) {
    List<HostInfo> alive =
        hosts.stream().filter(host -> isEligible(host) && host.isAlive()).toList();
    Map<HostId, Integer> primaries = new HashMap<>();
    List<PgView> groups = new ArrayList<>(1 << bits);
    for (int number = 0; number < 1 << bits; number++) {
      int pg = replicas << 16 | number;
      List<HostInfo> order = Rendezvous.rank(pg, alive).stream().limit(replicas).toList();
      HostId primary = leastLoaded(order, primaries);
      primaries.merge(primary, 1, Integer::sum);
      groups.add(new PgView(pg, 1, primary, members(primary, order), List.of()));
    }
    return groups;
  }

  private static HostId leastLoaded(List<HostInfo> order, Map<HostId, Integer> primaries) {
    return order.stream()
        .min(
            Comparator.comparingDouble(
                host -> (double) primaries.getOrDefault(host.id(), 0) / host.weight()))
        .map(HostInfo::id)
        .orElseThrow(() -> new IllegalArgumentException("no storage host is up"));
  }

  private static List<Member> members(HostId primary, List<HostInfo> order) {
    return order.stream()
        .map(host -> new Member(host.id(), host.incarnation()))
        .sorted(Comparator.comparing(m -> !m.host().equals(primary))) // stable: the rest keep order
        .toList();
  }
}
