package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.id;
import static org.trefoilfs.replication.membership.TestCluster.member;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.ClusterCommand.SetHostState;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.Reopened;

class ControllerTest {
  private static final Duration T = Duration.ofSeconds(2);
  private static final Duration REPLACE_AFTER = Duration.ofSeconds(60);

  private final TestCluster.Clock clock = new TestCluster.Clock();
  private final Set<Integer> silent = new HashSet<>();
  private TestCluster cluster;
  private FailureDetector detector;
  private Controller controller;

  private void lead(TestCluster led) {
    cluster = led;
    detector = new FailureDetector(clock, T);
    detector.observe(cluster.view());
    cluster.module.listen(detector::observe);
    controller = new Controller(detector, clock, REPLACE_AFTER);
    detector.startLeading();
    hearAll();
  }

  private void hearAll() {
    for (HostInfo host : cluster.view().hosts().values()) {
      if (!silent.contains(host.id().value())) {
        detector.heard(host.id(), host.incarnation());
      }
    }
  }

  /** One round of a leader's shell, whose joiners catch up at once. */
  private List<ClusterCommand> round() {
    clock.advanceMillis(200);
    hearAll();
    List<ClusterCommand> commands = new ArrayList<>(controller.tick(cluster.view()));
    commands.forEach(cluster::run);
    Map<Integer, Map<HostId, Version>> reports = new HashMap<>();
    ClusterView view = cluster.view();
    controller
        .groupsToReopen(view)
        .forEach(
            (host, groups) ->
                groups.forEach(
                    pg ->
                        reports
                            .computeIfAbsent(pg, each -> new HashMap<>())
                            .put(host, new Version(3, host.value()))));
    List<ClusterCommand> reopened = controller.reopen(view, reports);
    reopened.forEach(cluster::run);
    commands.addAll(reopened);
    return commands;
  }

  private void promoteJoiners() {
    for (PgView group : cluster.view().placement().groups()) {
      if (group.isOpen() && !group.joining().isEmpty()) {
        List<Member> inSync = new ArrayList<>(group.inSync());
        group
            .joining()
            .forEach(
                host -> inSync.add(new Member(host, cluster.host(host.value()).incarnation())));
        cluster.change(group.next(group.primary(), inSync, List.of()));
      }
    }
  }

  private void settle() {
    for (int i = 0; i < 100; i++) {
      boolean quiet = round().isEmpty();
      promoteJoiners();
      if (quiet && cluster.view().placement().groups().stream().allMatch(PgView::isOpen)) {
        return;
      }
    }
  }

  private void rounds(int count) {
    for (int i = 0; i < count; i++) {
      round();
      promoteJoiners();
    }
  }

  @Test
  void aDeadHostIsLostAndOnItsReturnJoinsAllItsGroupsInFewCommands() {
    TestCluster three = TestCluster.of(12, 3);
    three.createPool(3);
    lead(three);
    silent.add(2);
    List<ClusterCommand> seen = new ArrayList<>();
    for (int i = 0; i < 15; i++) {
      seen.addAll(round());
    }
    assertThat(seen).hasSize(1);
    assertThat(((HostsLost) seen.getFirst()).members()).containsExactly(member(2, 1));
    silent.clear();
    cluster.start(2, 2);
    detector.heard(id(2), 2);
    List<ClusterCommand> commands = controller.tick(cluster.view());
    assertThat(commands).hasSize(4).allMatch(ClusterCommand.ChangeViews.class::isInstance);
    commands.forEach(cluster::run);
    assertThat(cluster.view().placement().groups())
        .allMatch(group -> group.joining().equals(List.of(id(2))));
    assertThat(controller.tick(cluster.view())).isEmpty();
  }

  @Test
  void hostsThatDieTogetherAreLostInOneCommand() {
    TestCluster four = TestCluster.of(2, 4);
    lead(four);
    silent.addAll(Set.of(2, 3));
    List<ClusterCommand> seen = new ArrayList<>();
    for (int i = 0; i < 15; i++) {
      seen.addAll(round());
    }
    assertThat(seen).hasSize(1);
    assertThat(((HostsLost) seen.getFirst()).members()).containsExactly(member(2, 1), member(3, 1));
  }

  @Test
  void aRestartedHostThatIsNotEnteredYetIsNoSurvivorOfThoseThatStayAway() {
    TestCluster three = TestCluster.of(4, 3);
    three.createPool(2);
    lead(three);
    silent.addAll(List.of(1, 2, 3));
    for (int tick = 0; tick < 15; tick++) { // 1 and 3 run again, and their starts lie in the log
      clock.advanceMillis(200);
      detector.heard(id(1), 2);
      detector.heard(id(3), 2);
      controller.tick(cluster.view()).forEach(cluster::run);
    }
    cluster.start(1, 2, member(1, 2), member(3, 2));
    cluster.start(3, 2, member(1, 2), member(3, 2));
    assertThat(cluster.view().isAlive(id(2))).isFalse();
    assertThat(cluster.view().placement().groups())
        .allMatch(group -> !group.isOpen() && group.inSync().size() == 2);
  }

  @Test
  void afterAllStoppedTheMemberWithTheLastWriteOfTheLastViewLeads() {
    TestCluster three = TestCluster.of(0, 3);
    three.createPool(3);
    lead(three);
    int pg = 3 << 16;
    for (int host = 1; host <= 3; host++) {
      cluster.start(host, 2);
      hearAll();
    }
    ClusterView view = cluster.view();
    assertThat(view.placement().group(pg).orElseThrow().isOpen()).isFalse();
    assertThat(controller.tick(view)).isEmpty();
    assertThat(controller.groupsToReopen(view))
        .isEqualTo(Map.of(id(1), List.of(pg), id(2), List.of(pg), id(3), List.of(pg)));
    Map<HostId, Version> some = Map.of(id(1), new Version(5, 100), id(2), new Version(6, 99));
    assertThat(controller.reopen(view, Map.of(pg, some))).isEmpty();
    Map<HostId, Version> all = new HashMap<>(some);
    all.put(id(3), new Version(6, 98));
    controller.reopen(view, Map.of(pg, all)).forEach(cluster::run);
    PgView open = cluster.group(pg);
    assertThat(open.primary()).isEqualTo(id(2));
    assertThat(open.inSync()).containsExactly(member(2, 2));
    assertThat(open.joining()).containsExactlyInAnyOrder(id(1), id(3));
    assertThat(open.reopened()).isEqualTo(new Reopened(open.view(), new Version(6, 99), 0));
  }

  @Test
  void soleMemberThatWasRestartedIsAskedForItsLastWriteAndOneThatLivesIsNot() {
    TestCluster two = TestCluster.of(0, 2);
    two.createPool(1);
    lead(two);
    int pg = 1 << 16;
    int host = cluster.group(pg).inSync().getFirst().host().value();
    cluster.start(host, 2);
    hearAll();
    round();
    assertThat(cluster.group(pg).reopened())
        .isEqualTo(new Reopened(cluster.group(pg).view(), new Version(3, host), 0));
    Reopened before = cluster.group(pg).reopened();
    silent.add(host);
    rounds(15);
    assertThat(cluster.group(pg).isOpen()).isFalse();
    silent.clear();
    cluster.start(host, 2);
    hearAll();
    rounds(2);
    assertThat(cluster.group(pg).isOpen()).isTrue();
    assertThat(cluster.group(pg).reopened()).isEqualTo(before);
  }

  @Test
  void membersWithEqualLastWritesShareTheGroups() {
    TestCluster three = TestCluster.of(8, 3);
    three.createPool(3);
    lead(three);
    for (int host = 1; host <= 3; host++) {
      cluster.start(host, 2);
      hearAll();
    }
    Map<Integer, Map<HostId, Version>> reports = new HashMap<>();
    for (PgView group : cluster.view().placement().groups()) {
      Version same = new Version(1, 5);
      reports.put(group.pg(), Map.of(id(1), same, id(2), same, id(3), same));
    }
    controller.reopen(cluster.view(), reports).forEach(cluster::run);
    Map<HostId, Integer> primaries = new HashMap<>();
    for (PgView group : cluster.view().placement().groups()) {
      primaries.merge(group.primary(), 1, Integer::sum);
      assertThat(group.inSync())
          .containsExactlyInAnyOrder(member(1, 2), member(2, 2), member(3, 2));
      assertThat(group.joining()).isEmpty();
    }
    assertThat(primaries.values()).allMatch(count -> count > 60 && count < 110);
  }

  @Test
  void aGroupOfOneReplicaWaitsForItsHost() {
    TestCluster two = TestCluster.of(3, 2);
    two.createPool(1);
    lead(two);
    silent.add(1);
    rounds(400); // longer than a host is waited for before it is replaced
    List<PgView> waiting =
        cluster.view().placement().groups().stream().filter(group -> !group.isOpen()).toList();
    assertThat(waiting).isNotEmpty().allMatch(group -> group.member(id(1)).isPresent());
    silent.clear();
    cluster.start(1, 2);
    rounds(3);
    assertThat(cluster.view().placement().groups()).allMatch(PgView::isOpen);
    for (PgView group : waiting) {
      assertThat(cluster.group(group.pg()).member(id(1))).contains(member(1, 2));
    }
  }

  @Test
  void aGroupClosedUnderALivingMemberOpensFromItWithoutTheOthers() {
    TestCluster two = TestCluster.of(0, 2);
    two.createPool(2);
    lead(two);
    silent.add(1);
    cluster.start(1, 2); // while host 2 was not known to live
    assertThat(cluster.group(2 << 16).isOpen()).isFalse();
    round();
    assertThat(cluster.group(2 << 16).primary()).isEqualTo(id(2));
    assertThat(cluster.group(2 << 16).joining()).containsExactly(id(1));
  }

  @Test
  void aHostThatStaysAwayIsReplacedAndOneThatLeavesIsEmptied() {
    TestCluster five = TestCluster.of(5, 5);
    five.createPool(3);
    lead(five);
    silent.add(1);
    rounds(50);
    assertThat(cluster.view().placement().groups()).anyMatch(g -> g.inSync().size() == 2);
    rounds(400);
    assertThat(cluster.view().placement().groups()).allMatch(g -> g.inSync().size() == 3);
    cluster.run(new SetHostState(id(2), HostState.LEAVING));
    settle();
    assertThat(cluster.view().placement().groups())
        .allMatch(group -> group.inSync().size() == 3 && !group.holds(id(2)));
    cluster.run(new RemoveHost(id(2)));
  }

  @Test
  void aLeavingHostKeepsWhatNobodyElseCanHold() {
    TestCluster two = TestCluster.of(2, 2);
    two.createPool(2);
    lead(two);
    cluster.run(new SetHostState(id(2), HostState.LEAVING));
    rounds(10);
    assertThat(cluster.view().placement().groups()).allMatch(group -> group.holds(id(2)));
    cluster.register("third", false);
    cluster.start(3, 1);
    settle();
    assertThat(cluster.view().placement().groups()).noneMatch(group -> group.holds(id(2)));
  }

  @Test
  void aNewHostTakesItsShareAndNoMore() {
    TestCluster cluster4 = TestCluster.of(8, 4);
    cluster4.createPool(3);
    lead(cluster4);
    cluster.register("fifth", false);
    cluster.start(5, 1);
    settle();
    long held = cluster.view().placement().groups().stream().filter(g -> g.holds(id(5))).count();
    assertThat(held / 256.0).isBetween(0.5, 0.7); // 3 of 5
    assertThat(cluster.view().placement().groups())
        .allMatch(group -> group.inSync().size() == 3 && group.joining().isEmpty());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void everyGroupIsWholeAgainOnceAllHostsAreBack(long seed) {
    Random random = new Random(seed);
    TestCluster six = TestCluster.of(4, 6);
    six.createPool(3);
    six.createPool(1);
    lead(six);
    for (int step = 0; step < 120; step++) {
      int host = 1 + random.nextInt(6);
      switch (random.nextInt(5)) {
        case 0 -> silent.add(host);
        case 1, 2 -> {
          silent.remove(host);
          cluster.start(
              host,
              cluster.host(host).incarnation() + random.nextInt(2),
              detector.live().toArray(new Member[0]));
        }
        case 3 -> promoteJoiners();
        default -> rounds(random.nextInt(8));
      }
      round();
    }
    for (int host = 1; host <= 6; host++) {
      silent.remove(host);
      cluster.start(host, cluster.host(host).incarnation());
    }
    settle();
    assertThat(cluster.view().placement().groups())
        .as("seed %d", seed)
        .allMatch(PgView::isOpen)
        .allMatch(group -> group.inSync().size() == group.pg() >>> 16)
        .allMatch(group -> group.joining().isEmpty());
  }
}
