package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.id;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.ClusterCommand.Change;
import org.trefoilfs.replication.membership.ClusterCommand.ChangeViews;
import org.trefoilfs.replication.membership.ClusterCommand.CloseSession;
import org.trefoilfs.replication.membership.ClusterCommand.CreateVolume;
import org.trefoilfs.replication.membership.ClusterCommand.DeleteVolume;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.membership.ClusterCommand.ReopenGroups;
import org.trefoilfs.replication.membership.ClusterCommand.SetHostState;
import org.trefoilfs.replication.membership.ClusterCommand.VolumeGone;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;

/** Random commands, sound and absurd ones alike; the rules must hold after each. */
class ClusterHistoryTest {
  private static final int HOSTS = 6;
  private static final int STEPS = 800;

  private Random random;
  private TestCluster cluster;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void invariantsHoldThroughRandomHistories(long seed) {
    random = new Random(seed);
    cluster = TestCluster.of(3, HOSTS);
    cluster.createPool(3);
    cluster.createPool(1);
    ClusterView follower = ClusterView.empty();
    int applied = 0;
    int opened = 0;
    int promoted = 0;
    for (int step = 0; step < STEPS; step++) {
      ClusterView before = cluster.view();
      ClusterCommand command = anyCommand(before);
      int at = step;
      Supplier<String> where = () -> "seed " + seed + ", step " + at + ": " + command;
      try {
        cluster.run(command);
        applied++;
      } catch (TrefoilException e) {
        assertThat(e.reason()).as(where).isNotEqualTo(Reason.INTERNAL);
        assertThat(cluster.view()).as(where).isEqualTo(before);
      }
      checkInvariants(before, cluster.view(), command, where);
      for (PgView now : cluster.view().placement().groups()) {
        PgView old = before.placement().group(now.pg()).orElseThrow();
        opened += now.isOpen() && !old.isOpen() ? 1 : 0;
        promoted += now.isOpen() && now.inSync().size() > old.inSync().size() ? 1 : 0;
      }
      if (random.nextInt(20) == 0) {
        follower = ClusterDelta.apply(follower, cluster.module.deltaSince(follower.epoch()));
        assertThat(follower).as(where).isEqualTo(cluster.view());
      }
      if (random.nextInt(100) == 0) {
        ClusterModule other = new ClusterModule();
        other.restored(cluster.rows);
        assertThat(other.view()).as(where).isEqualTo(cluster.view());
        assertThat(other.deltaSince(0)).as(where).isEqualTo(cluster.module.deltaSince(0));
      }
    }
    assertThat(applied).as("histories that do something").isGreaterThan(STEPS / 3);
    assertThat(opened).as("groups opened").isGreaterThan(50);
    assertThat(promoted).as("joiners promoted").isGreaterThan(20);
  }

  private static void checkInvariants(
      ClusterView before, ClusterView after, ClusterCommand command, Supplier<String> where) {
    boolean changed = !before.equals(after);
    assertThat(after.epoch()).as(where).isEqualTo(before.epoch() + (changed ? 1 : 0));
    for (PgView now : after.placement().groups()) {
      PgView old = before.placement().group(now.pg()).orElseThrow();
      assertThat(now.view()).as(where).isEqualTo(old.view() + (now.equals(old) ? 0 : 1));
      assertThat(now.inSync()).as(where).isNotEmpty();
      Set<HostId> hosts = new HashSet<>(now.joining());
      now.inSync().forEach(member -> hosts.add(member.host()));
      assertThat(hosts).as(where).hasSize(now.inSync().size() + now.joining().size());
      if (now.primary() != null) {
        assertThat(now.member(now.primary())).as(where).isPresent();
        assertThat(now.inSync()).as(where).allMatch(after::isAlive);
      }
      assertThat(now.joining()).as(where).allMatch(after::isAlive);
      checkMembers(before, old, now, command, where);
    }
  }

  /** Who enters the in-sync set caught up as a joiner, or opened the group. */
  private static void checkMembers(
      ClusterView before, PgView old, PgView now, ClusterCommand command, Supplier<String> where) {
    boolean reopened = old.primary() == null && now.primary() != null;
    if (reopened) {
      assertThat(command).as(where).isInstanceOf(ReopenGroups.class);
      assertThat(now.inSync())
          .as(where)
          .isNotEmpty()
          .allMatch(m -> old.member(m.host()).isPresent());
      boolean neverStopped = old.inSync().containsAll(now.inSync());
      boolean complete = old.inSync().stream().allMatch(m -> before.isAlive(m.host()));
      assertThat(neverStopped || complete).as(where).isTrue();
      return;
    }
    for (Member member : now.inSync()) {
      boolean stayed = old.inSync().contains(member);
      boolean promoted = command instanceof ChangeViews && old.joining().contains(member.host());
      assertThat(stayed || promoted).as(where).isTrue();
    }
    if (old.primary() == null) {
      assertThat(now.inSync()).as(where).isEqualTo(old.inSync());
    }
  }

  // ---- random commands

  private ClusterCommand anyCommand(ClusterView view) {
    return switch (random.nextInt(16)) {
      case 0, 1 -> started(view);
      case 2 -> random.nextBoolean() ? lost(view) : change(view);
      case 3 -> random.nextInt(5) == 0 ? manyLost(view) : change(view);
      case 4, 5, 6, 7, 8, 9 -> change(view);
      case 10, 11, 12 -> reopen(view);
      case 13 -> administration();
      case 14 -> new OpenSession(random.nextInt(5), 1 + random.nextInt(5), "vm", "/mnt");
      default -> new CloseSession(random.nextInt(5));
    };
  }

  private ClusterCommand administration() {
    String name = "v" + random.nextInt(3);
    HostId host = id(1 + random.nextInt(HOSTS));
    return switch (random.nextInt(6)) {
      case 0 -> new CreateVolume(name, random.nextInt(5), CommitMode.SYNC);
      case 1 -> new DeleteVolume(name);
      case 2 -> new VolumeGone(random.nextInt(9));
      case 3 -> new SetHostState(host, random.nextBoolean() ? HostState.LEAVING : HostState.UP);
      case 4 -> new SetHostState(host, HostState.UP);
      default -> new RemoveHost(id(1 + random.nextInt(HOSTS * 4)));
    };
  }

  private ClusterCommand started(ClusterView view) {
    HostInfo host = anyHost(view);
    Set<Member> live = new HashSet<>();
    for (HostInfo other : view.hosts().values()) {
      if (random.nextInt(3) > 0) {
        live.add(new Member(other.id(), other.incarnation() - random.nextInt(2)));
      }
    }
    long incarnation = Math.max(1, host.incarnation() + random.nextInt(3));
    return new HostStarted(host.id(), incarnation, host.address(), host.raftAddress(), live);
  }

  private ClusterCommand lost(ClusterView view) {
    HostInfo host = anyHost(view);
    long incarnation = host.incarnation() - random.nextInt(2);
    return new HostsLost(view.epoch(), List.of(new Member(host.id(), incarnation)));
  }

  private ClusterCommand manyLost(ClusterView view) {
    List<Member> members = new ArrayList<>();
    for (HostInfo host : view.hosts().values()) {
      if (random.nextInt(3) == 0) {
        members.add(new Member(host.id(), host.incarnation()));
      }
    }
    return new HostsLost(view.epoch() - random.nextInt(3), members);
  }

  private ClusterCommand change(ClusterView view) {
    Map<Integer, Change> changes = new HashMap<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      PgView group = anyGroup(view);
      changes.put(group.pg(), random.nextInt(4) == 0 ? absurd(view, group) : sound(view, group));
    }
    return new ChangeViews(List.copyOf(changes.values()));
  }

  /** What primaries and controllers ask for: adding, promoting and removing hosts. */
  private Change sound(ClusterView view, PgView group) {
    List<Member> inSync = new ArrayList<>(group.inSync());
    List<HostId> joining = new ArrayList<>(group.joining());
    boolean finish = !joining.isEmpty() && random.nextInt(3) > 0;
    HostInfo host = finish ? view.host(joining.getFirst()).orElseThrow() : anyHost(view);
    if (joining.remove(host.id())) {
      long stale = random.nextInt(15) == 0 ? 1 : 0;
      inSync.add(new Member(host.id(), host.incarnation() - stale));
    } else if (group.member(host.id()).isPresent() && inSync.size() > 1) {
      inSync.removeIf(member -> member.host().equals(host.id()));
    } else if (!group.holds(host.id())) {
      joining.add(host.id());
    }
    HostId primary = group.primary();
    boolean stays = inSync.stream().anyMatch(member -> member.host().equals(primary));
    return new Change(
        group.view(), group.next(stays ? primary : inSync.getFirst().host(), inSync, joining));
  }

  private Change absurd(ClusterView view, PgView group) {
    List<Member> inSync = new ArrayList<>();
    List<HostId> joining = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      HostInfo host = anyHost(view);
      inSync.add(new Member(host.id(), host.incarnation() - random.nextInt(2)));
      joining.add(anyHost(view).id());
    }
    long expected = group.view() + random.nextInt(3) - 1;
    HostId primary = random.nextBoolean() ? anyHost(view).id() : null;
    return new Change(expected, new PgView(group.pg(), expected + 1, primary, inSync, joining));
  }

  private ClusterCommand reopen(ClusterView view) {
    List<Reopen> reopens = new ArrayList<>();
    for (PgView group : view.placement().groups()) {
      if (!group.isOpen() || random.nextInt(30) == 0) {
        int from = random.nextInt(group.inSync().size());
        int to = from + 1 + random.nextInt(group.inSync().size() - from);
        long wrong = random.nextInt(10) == 0 ? 1 : 0;
        List<Member> some =
            group.inSync().subList(from, to).stream()
                .map(
                    member ->
                        new Member(
                            member.host(),
                            view.host(member.host()).orElseThrow().incarnation() - wrong))
                .toList();
        List<HostId> joiners = group.inSync().stream().map(Member::host).toList();
        reopens.add(
            new Reopen(
                group.pg(),
                group.view() - (random.nextInt(10) == 0 ? 1 : 0),
                some,
                joiners,
                random.nextBoolean()
                    ? Optional.empty()
                    : Optional.of(new Version(group.view(), random.nextInt(100)))));
      }
    }
    return new ReopenGroups(reopens);
  }

  private HostInfo anyHost(ClusterView view) {
    List<HostInfo> hosts = List.copyOf(view.hosts().values());
    return hosts.get(random.nextInt(hosts.size()));
  }

  private PgView anyGroup(ClusterView view) {
    List<PgView> groups = List.copyOf(view.placement().groups());
    return groups.get(random.nextInt(groups.size()));
  }
}
