package org.trefoilfs.replication.membership;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;

/** The next step of one group towards the hosts that are to hold it. */
final class Rebalance {
  private Rebalance() {}

  /**
   * Joiners first; what is not desired goes only when all desired hosts are in sync, and they are
   * as many as the group wants.
   */
  static Optional<PgView> step(
      PgView group, List<HostId> desired, int replicas, Predicate<HostId> canJoin) {
    if (!group.isOpen()) {
      return Optional.empty();
    }
    List<HostId> missing =
        desired.stream().filter(host -> !group.holds(host) && canJoin.test(host)).toList();
    if (!missing.isEmpty()) {
      List<HostId> joining = new ArrayList<>(group.joining());
      joining.addAll(missing);
      return Optional.of(group.next(group.primary(), group.inSync(), joining));
    }
    boolean settled = desired.stream().allMatch(host -> group.member(host).isPresent());
    boolean excess = group.inSync().size() > desired.size() || !group.joining().isEmpty();
    return settled && excess && desired.size() == replicas
        ? Optional.of(trim(group, desired))
        : Optional.empty();
  }

  private static PgView trim(PgView group, List<HostId> desired) {
    List<Member> inSync =
        group.inSync().stream().filter(member -> desired.contains(member.host())).toList();
    @Nullable HostId primary = group.primary();
    boolean stays = primary != null && desired.contains(primary);
    return group.next(stays ? primary : desired.getFirst(), inSync, List.of());
  }
}
