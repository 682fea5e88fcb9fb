package org.trefoilfs.replication.membership;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.RegisterHost;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.ClusterCommand.SetHostState;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;

/** Hosts: joining, starting, dying, leaving. */
final class HostRules {
  /** Every host is in every heartbeat reply; one cluster of this design is not meant to be more. */
  static final int MAX_HOSTS = 1024;

  static final int MAX_WEIGHT = 100;

  /** A DNS name's length. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,252}");

  private HostRules() {}

  static HostId register(Draft draft, RegisterHost command) {
    checkFields(command);
    for (HostInfo host : draft.hosts.values()) {
      boolean sameName = host.name().equals(command.name());
      boolean sameAddress = host.address().equals(command.address());
      if (sameName && sameAddress) {
        return host.id();
      }
      if (sameName) {
        throw new TrefoilException(
            Reason.EXISTS,
            "a host named '%s' exists already at %s; choose another --name"
                .formatted(host.name(), host.address()));
      }
      if (sameAddress) {
        throw addressTaken(host);
      }
    }
    if (draft.hosts.size() >= MAX_HOSTS) {
      throw new TrefoilException(
          Reason.TOO_LARGE,
          "the cluster has " + MAX_HOSTS + " hosts, which is its limit; remove one first");
    }
    HostInfo host =
        new HostInfo(
            draft.newHost(),
            command.name(),
            command.address(),
            command.raftAddress(),
            command.witness(),
            command.weight(),
            command.domain(),
            0,
            HostState.JOINING);
    draft.put(host);
    return host.id();
  }

  static byte[] started(Draft draft, HostStarted command) {
    HostInfo host = draft.host(command.host());
    if (command.incarnation() < host.incarnation() || command.incarnation() == 0) {
      throw new TrefoilException(
          Reason.STALE,
          ("host '%s' has started under incarnation %d already, %d is older; a copied or restored"
                  + " data directory cannot run beside, or after, its original")
              .formatted(host.name(), host.incarnation(), command.incarnation()));
    }
    for (HostInfo other : draft.hosts.values()) {
      if (!other.id().equals(host.id()) && other.address().equals(command.address())) {
        throw addressTaken(other);
      }
    }
    draft.put(host.started(command, draft.nextEpoch()));
    if (command.incarnation() != host.incarnation()) {
      for (PgView group : draft.groups()) {
        GroupRules.memberRestarted(draft, group, command);
      }
    }
    return ClusterRules.DONE;
  }

  static byte[] lost(Draft draft, List<Member> members, long asOf) {
    Set<HostId> lost = new HashSet<>();
    for (Member member : members) {
      HostInfo host = draft.hosts.get(member.host());
      // Otherwise it was decided before the host came up again, or was said twice.
      if (host != null && draft.isAlive(member) && host.upSince() <= asOf) {
        draft.put(host.withState(HostState.DOWN, host.leaving()));
        lost.add(host.id());
      }
    }
    if (!lost.isEmpty()) {
      draft.groups().forEach(group -> GroupRules.membersLost(draft, group, lost));
    }
    return ClusterRules.DONE;
  }

  static byte[] remove(Draft draft, RemoveHost command) {
    HostInfo host = draft.host(command.host());
    List<PgView> held =
        draft.groups().stream().filter(group -> group.holds(command.host())).toList();
    if (!held.isEmpty()) {
      long closed = held.stream().filter(group -> !group.isOpen()).count();
      String remedy =
          closed > 0
              ? "%d of them are closed and wait for it; start it again, or see: trefoil recover"
                  .formatted(closed)
              : "let it leave first, and wait until other hosts hold them";
      throw new TrefoilException(
          Reason.BUSY,
          "host '%s' still holds %d placement groups; %s"
              .formatted(host.name(), held.size(), remedy));
    }
    draft.hosts.remove(command.host());
    return ClusterRules.DONE;
  }

  static byte[] setState(Draft draft, SetHostState command) {
    HostInfo host = draft.host(command.host());
    boolean leaving = command.state() == HostState.LEAVING;
    if (!leaving && command.state() != HostState.UP) {
      throw new TrefoilException(
          Reason.INVALID,
          "a host cannot be told to be " + command.state() + "; tell it LEAVING, or UP to stay");
    }
    HostState state = leaving ? HostState.LEAVING : HostState.UP;
    draft.put(host.withState(host.isAlive() ? state : host.state(), leaving));
    return ClusterRules.DONE;
  }

  private static void checkFields(RegisterHost command) {
    if (!NAME.matcher(command.name()).matches()) {
      throw new TrefoilException(
          Reason.INVALID,
          "'%s' cannot name a host; use letters, digits, '.', '_' and '-', as in --name node-1"
              .formatted(command.name()));
    }
    if (command.weight() < 1 || command.weight() > MAX_WEIGHT) {
      throw new TrefoilException(
          Reason.INVALID,
          "weight %d of host '%s' is outside 1 to %d"
              .formatted(command.weight(), command.name(), MAX_WEIGHT));
    }
    if (command.domain().isBlank() || command.domain().length() > 253) {
      throw new TrefoilException(
          Reason.INVALID,
          "host '%s' needs a failure domain of 1 to 253 characters".formatted(command.name()));
    }
  }

  private static TrefoilException addressTaken(HostInfo owner) {
    return new TrefoilException(
        Reason.EXISTS,
        "%s is the address of host '%s' already; choose another --listen"
            .formatted(owner.address(), owner.name()));
  }
}
