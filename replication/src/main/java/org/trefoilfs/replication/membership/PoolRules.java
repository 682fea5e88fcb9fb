package org.trefoilfs.replication.membership;

import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.ClusterCommand.CreatePool;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;

/** The first views of a pool, as their proposer computed them. */
final class PoolRules {
  /** More copies than any failure domain layout asks for. */
  static final int MAX_REPLICAS = 8;

  private PoolRules() {}

  static byte[] create(Draft draft, CreatePool command) {
    if (draft.hasPool(command.replicas())) {
      return ClusterRules.DONE;
    }
    if (command.replicas() < 1 || command.replicas() > MAX_REPLICAS) {
      throw new TrefoilException(
          Reason.INVALID, command.replicas() + " replicas are outside 1 to " + MAX_REPLICAS);
    }
    List<PgView> groups = command.groups();
    require(groups.size() == 1 << draft.bits(), "it needs 2^" + draft.bits() + " groups");
    for (int number = 0; number < groups.size(); number++) {
      PgView group = groups.get(number);
      require(group.pg() == (command.replicas() << 16 | number), "its groups must be in order");
      checkFirstView(draft, group, command.replicas());
      draft.put(group);
    }
    return ClusterRules.DONE;
  }

  private static void checkFirstView(Draft draft, PgView group, int replicas) {
    HostId primary = group.primary();
    long hosts = group.inSync().stream().map(Member::host).distinct().count();
    require(group.view() == 1 && group.joining().isEmpty(), "a first view is 1, without joiners");
    require(
        hosts == replicas && group.inSync().size() == replicas,
        "each group needs " + replicas + " hosts");
    require(primary != null && group.member(primary).isPresent(), "its primaries must be in sync");
    for (Member member : group.inSync()) {
      require(!draft.host(member.host()).witness(), "a witness stores nothing");
      if (!draft.isAlive(member)) {
        throw new TrefoilException(
            Reason.STALE_VIEW,
            "host "
                + member.host()
                + " has stopped or restarted meanwhile; place the groups again");
      }
    }
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new TrefoilException(Reason.INVALID, "refused table of a pool: " + rule);
    }
  }
}
