package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;

/** The invariants of the protocol, each checked at the steps that could break it. */
final class Checks {
  private final World world;
  private final Map<Integer, Truth> truths = new HashMap<>();
  private final Map<List<Long>, SimHost> primaries = new HashMap<>();
  private List<Register> registers = List.of();

  /** What is known to be committed in a group, by number; null where a loss left it open. */
  private static final class Truth {
    final List<OperationId> operations = new ArrayList<>();

    /** Members of which records are lost: under these incarnations they hold less than they did. */
    final Set<Member> lossy = new HashSet<>();

    /** In sync when the group was last open: what is acknowledged is with each of them. */
    List<Member> members = List.of();

    boolean lost;

    /**
     * The view in which that happened: what happens in it, and before, is of a history that is
     * over.
     */
    long lostIn;
  }

  Checks(World world) {
    this.world = world;
  }

  void watch(List<Register> all) {
    registers = all;
  }

  private Truth truth(int pg) {
    return truths.computeIfAbsent(pg, _ -> new Truth());
  }

  // ---- commits

  /** A host takes an entry for committed. */
  void committed(SimHost host, Group group, Entry entry) {
    Truth truth = truth(entry.pg());
    if (group.currentView().view() <= truth.lostIn) {
      return;
    }
    int index = (int) entry.n() - 1;
    if (index >= truth.operations.size()) {
      Violation.unless(
          truth.lost || group.isPrimary(), "%s commits %s before its primary did", host.id, entry);
      Violation.unless(
          truth.lost || index == truth.operations.size(),
          "%s commits %s, and the group had committed %s",
          host.id,
          entry,
          truth.operations.size());
      while (truth.operations.size() < index) {
        truth.operations.add(null);
      }
      truth.operations.add(entry.operation());
    }
    OperationId known = truth.operations.set(index, entry.operation());
    Violation.unless(
        known == null || known.equals(entry.operation()),
        "%s commits %s where %s was committed",
        host.id,
        entry,
        known);
    if (group.isPrimary()) {
      membersHold(group, entry.n());
      nobodyServesAnOlderView(host, group);
    }
  }

  private void membersHold(Group group, long n) {
    PgView view = group.currentView();
    for (Member member : view.inSync()) {
      holds(view, member, n);
    }
  }

  private void holds(PgView view, Member member, long n) {
    SimHost host = world.host(member.host());
    if (host.running && !host.fenced && host.incarnation == member.incarnation()) {
      long held = host.groups.group(view.pg()).log().lastN();
      Violation.unless(
          held >= n, "%s is in sync in %s and holds %d of %d committed", host.id, view, held, n);
    }
  }

  /** Who was put out of the group must not answer reads any longer, now that it misses a write. */
  private void nobodyServesAnOlderView(SimHost primary, Group group) {
    PgView view = group.currentView();
    for (SimHost host : world.hosts) {
      if (host != primary && host.serves() && !view.isInSync(host.id, host.incarnation)) {
        Group other = host.groups.group(view.pg());
        Violation.unless(
            !other.hasRole() || other.isJoiner() || other.currentView().view() > view.view(),
            "%s commits in %s, and %s still serves in %s",
            primary.id,
            view,
            host.id,
            other.currentView());
      }
    }
  }

  // ---- views

  void roleChanged(SimHost host, Group group) {
    PgView view = group.currentView();
    boolean counts = group.hasRole() && !group.isJoiner();
    Violation.unless(
        !counts || view.isInSync(host.id, host.incarnation),
        "%s, incarnation %d, takes itself for in sync in %s",
        host.id,
        host.incarnation,
        view);
    if (group.isPrimary()) {
      SimHost first = primaries.putIfAbsent(List.of((long) view.pg(), view.view()), host);
      Violation.unless(
          first == null || first == host, "%s and %s are primary of %s", first, host.id, view);
    }
  }

  void clusterChanged(ClusterView before, ClusterView after) {
    for (HostInfo host : before.hosts().values()) {
      noLeaseOutlivesItsHost(host, after);
    }
    for (PgView group : after.placement().groups()) {
      if (!group.equals(before.placement().group(group.pg()).orElse(null))) {
        membersRun(after, group);
        if (group.isOpen()) {
          truth(group.pg()).members = group.inSync();
        }
        judgeLoss(group);
      }
    }
  }

  private void noLeaseOutlivesItsHost(HostInfo was, ClusterView after) {
    SimHost host = world.host(was.id());
    boolean alive = after.isAlive(new Member(was.id(), was.incarnation()));
    boolean removed = !after.hosts().containsKey(was.id());
    Violation.unless(
        alive || removed || host.incarnation != was.incarnation() || !host.leased(),
        "%s is declared lost, and holds a lease",
        was.id());
  }

  private void membersRun(ClusterView after, PgView group) {
    if (group.isOpen()) {
      int committed = truth(group.pg()).operations.size();
      for (Member member : group.inSync()) {
        Violation.unless(after.isAlive(member), "%s does not run as it is in %s", member, group);
        if (!truth(group.pg()).lost) {
          holds(group, member, committed);
        }
      }
    }
  }

  // ---- losses

  /** The host's disk has lost records of these groups. */
  void lost(SimHost host, Set<Integer> groups) {
    for (int pg : groups) {
      truth(pg).lossy.add(new Member(host.id, host.incarnation));
      judgeLoss(world.group(pg));
    }
  }

  /** When every in-sync member has lost something, what was not flushed may be gone. */
  private void judgeLoss(PgView group) {
    Truth truth = truth(group.pg());
    if (!truth.members.isEmpty() && truth.lossy.containsAll(truth.members)) {
      world.trace.add(() -> "all members of " + group + " have lost records");
      truth.operations.clear();
      truth.lost = true;
      truth.lostIn = group.view();
      for (Register register : registers) {
        if (register.pg == group.pg()) {
          register.mayBeLost(world.network.now());
        }
      }
    }
  }

  // ---- from time to time

  /** Whoever would answer a read now would answer it right. */
  void sample() {
    for (SimHost host : world.hosts) {
      if (host.serves()) {
        for (Register register : registers) {
          check(host, register);
        }
        host.groups.all().forEach(group -> hasNoGap(host, group.log()));
      }
    }
  }

  private static void check(SimHost host, Register register) {
    Group group = host.groups.group(register.pg);
    if (register.history == null && group.readable(register.chunk) == Group.Readable.YES) {
      long value;
      try {
        value = host.groups.applier.block(register.pg, register.chunk, register.block);
      } catch (TrefoilException e) {
        return; // a damaged block is not answered
      }
      Violation.unless(
          value >= register.settled && value <= register.begun,
          "%s would answer a read of %s with %d, where %d was acknowledged or read and %d begun",
          host.id,
          register,
          value,
          register.settled,
          register.begun);
    }
  }

  private static void hasNoGap(SimHost host, GroupLog log) {
    int suffix = log.suffix().size();
    Violation.unless(
        suffix == log.lastN() - log.commitIndex(),
        "%s: the log of group %d holds %d entries from %d to %d",
        host.id,
        log.pg(),
        suffix,
        log.commitIndex(),
        log.lastN());
  }

  /** All members hold the same bytes, and of each block what its clients know. */
  void converged() {
    for (Register register : registers) {
      PgView view = world.group(register.pg);
      long expected = block(view.inSync().getFirst(), register.pg, register.chunk, register.block);
      for (Member member : view.inSync()) {
        long value = block(member, register.pg, register.chunk, register.block);
        Violation.unless(
            value == expected && (register.history != null || value == register.settled),
            "%s is %d at %s, %d at the first member, and was acknowledged as %d",
            register,
            value,
            member,
            expected,
            register.settled);
      }
      if (register.history != null) {
        register.history.check(register.toString());
      }
    }
  }

  private long block(Member member, int pg, ChunkId chunk, int block) {
    return world.host(member.host()).groups.applier.block(pg, chunk, block);
  }
}
