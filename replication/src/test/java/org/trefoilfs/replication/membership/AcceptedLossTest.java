package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.id;
import static org.trefoilfs.replication.membership.TestCluster.member;
import static org.trefoilfs.replication.membership.TestCluster.refusal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.AcceptedLoss.MissingHost;
import org.trefoilfs.replication.membership.ClusterCommand.Choice;
import org.trefoilfs.replication.membership.ClusterCommand.ForceReopen;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.LossPlan.Way;
import org.trefoilfs.replication.placement.PgView;

/** Three hosts have stopped at once, and one never comes back. */
class AcceptedLossTest {
  private static final int GONE = 2;
  private static final long CHOICE = 77;

  private final TestCluster cluster = TestCluster.of(3, 3);
  private final Map<Integer, Map<HostId, Version>> reports = new HashMap<>();

  private void stopAllAndStartAllButOne(int replicas) {
    cluster.createPool(replicas);
    cluster.run(
        new HostsLost(cluster.view().epoch(), List.of(member(1, 1), member(2, 1), member(3, 1))));
    cluster.start(1, 2);
    cluster.start(3, 2);
  }

  private void holds(int host, long view, long n) {
    for (PgView group : cluster.view().placement().groups()) {
      if (group.member(id(host)).isPresent()) {
        reports
            .computeIfAbsent(group.pg(), _ -> new HashMap<>())
            .put(id(host), new Version(view, n));
      }
    }
  }

  private LossPlan plan() {
    return LossPlan.of(cluster.view(), reports);
  }

  private List<ChangeResult> accept(LossPlan plan) {
    return plan.commands(CHOICE, 1_700_000_000_000L, "ann@node-1").stream()
        .flatMap(command -> ChangeResult.decode(cluster.run(command)).stream())
        .toList();
  }

  @Test
  void groupsOpenFromThoseWithTheLastWriteOfAllThatCanBeAsked() {
    stopAllAndStartAllButOne(3);
    holds(1, 1, 8);
    holds(3, 1, 9);
    assertThat(plan().missing()).extracting(HostInfo::name).containsExactly("host-2");
    assertThat(accept(plan())).hasSize(8).allMatch(ChangeResult.Applied.class::isInstance);
    assertThat(cluster.view().placement().groups())
        .allMatch(group -> id(3).equals(group.primary()))
        .allMatch(group -> group.inSync().equals(List.of(member(3, 2))))
        .allMatch(group -> group.joining().equals(List.of(id(1))));
  }

  @Test
  void membersWithEqualLastWritesAreAllInSyncAtOnce() {
    stopAllAndStartAllButOne(3);
    holds(1, 1, 9);
    holds(3, 1, 9);
    accept(plan());
    assertThat(cluster.view().placement().groups()).allMatch(group -> group.inSync().size() == 2);
  }

  @Test
  void groupsThatNobodyEverWroteToOpenToo() {
    stopAllAndStartAllButOne(3);
    holds(1, 0, 0);
    holds(3, 0, 0);
    assertThat(accept(plan())).allMatch(ChangeResult.Applied.class::isInstance);
  }

  @Test
  void theChoiceIsRecordedWithWhoWhenAndWhat() {
    stopAllAndStartAllButOne(3);
    holds(1, 1, 8);
    holds(3, 1, 9);
    accept(plan());
    AcceptedLoss loss = cluster.view().losses().get(CHOICE);
    assertThat(loss.operator()).isEqualTo("ann@node-1");
    assertThat(loss.atMillis()).isEqualTo(1_700_000_000_000L);
    assertThat(loss.missing()).containsExactly(new MissingHost(id(GONE), "host-2"));
    assertThat(loss.opened()).hasSize(8).allMatch(group -> group.from().equals(id(3)));
    assertThat(ClusterRows.read(cluster.rows).view()).isEqualTo(cluster.view());
  }

  @Test
  void severalEntriesOfOneChoiceAreOneRecordAndTravelWithTheDelta() {
    stopAllAndStartAllButOne(3);
    holds(1, 1, 9);
    holds(3, 1, 9);
    ClusterView before = cluster.view();
    ForceReopen whole = plan().commands(CHOICE, 5, "ann").getFirst();
    cluster.run(new ForceReopen(whole.groups().subList(0, 3), whole.choice()));
    ClusterView middle = cluster.view();
    cluster.run(new ForceReopen(whole.groups().subList(3, 8), whole.choice()));
    assertThat(cluster.view().losses().get(CHOICE).opened()).hasSize(8);
    for (ClusterView old : List.of(before, middle)) {
      byte[] delta = cluster.module.deltaSince(old.epoch());
      assertThat(ClusterDelta.apply(old, delta)).isEqualTo(cluster.view());
    }
  }

  @Test
  void aHostThatCameBackMeanwhileIsNotGivenUp() {
    stopAllAndStartAllButOne(3);
    holds(1, 1, 8);
    holds(3, 1, 9);
    LossPlan plan = plan();
    cluster.start(GONE, 2);
    assertThat(accept(plan)).allMatch(ChangeResult.Refused.class::isInstance);
    assertThat(cluster.view().losses()).isEmpty();
  }

  @Test
  void aMemberThatRestartedSinceItWasAskedIsNotTakenAtItsOldWord() {
    stopAllAndStartAllButOne(3);
    holds(1, 1, 8);
    holds(3, 1, 9);
    LossPlan plan = plan();
    cluster.start(3, 3);
    assertThat(accept(plan)).allMatch(ChangeResult.Refused.class::isInstance);
  }

  @Test
  void aMemberThatRunsAndDoesNotAnswerHoldsItsGroupsBack() {
    stopAllAndStartAllButOne(3);
    holds(1, 1, 8);
    assertThat(plan().closed()).allMatch(group -> group.way() == Way.ASK_AGAIN);
    assertThat(accept(plan())).isEmpty();
  }

  @Test
  void groupsWithoutAMissingMemberAreTheLeadersToOpen() {
    stopAllAndStartAllButOne(2);
    holds(1, 1, 1);
    holds(3, 1, 1);
    LossPlan plan = plan();
    assertThat(plan.closed())
        .allMatch(
            closed ->
                closed.way()
                    == (closed.group().holds(id(GONE)) ? Way.ACCEPT_LOSS : Way.OPENS_ALONE));
    assertThat(plan.closed()).anyMatch(closed -> closed.way() == Way.OPENS_ALONE);
    PgView complete =
        plan.closed().stream()
            .filter(closed -> closed.way() == Way.OPENS_ALONE)
            .findFirst()
            .orElseThrow()
            .group();
    ForceReopen abuse =
        new ForceReopen(
            List.of(Reopening.fromUnstopped(cluster.view(), complete, List.of(id(1)))),
            new Choice(CHOICE, 5, "ann", List.of(id(GONE))));
    assertThat(ChangeResult.decode(cluster.run(abuse)).getFirst())
        .isInstanceOf(ChangeResult.Refused.class);
  }

  @Test
  void groupsThatOnlyTheMissingHostHeldCannotBeOpened() {
    stopAllAndStartAllButOne(1);
    LossPlan plan = plan();
    assertThat(plan.closed())
        .filteredOn(closed -> closed.group().holds(id(GONE)))
        .isNotEmpty()
        .allMatch(closed -> closed.way() == Way.NONE && closed.latest().isEmpty());
    assertThat(plan.openable()).isEmpty();
  }

  @Test
  void aHostIsRemovedOnceNoClosedGroupWaitsForIt() {
    stopAllAndStartAllButOne(3);
    assertThat(refusal(() -> cluster.run(new RemoveHost(id(GONE))))).isEqualTo(Reason.BUSY);
    holds(1, 1, 9);
    holds(3, 1, 9);
    accept(plan());
    cluster.run(new RemoveHost(id(GONE)));
    assertThat(cluster.view().host(id(GONE))).isEmpty();
    assertThat(cluster.view().losses().get(CHOICE).missing().getFirst().name()).isEqualTo("host-2");
  }

  @Test
  void onlyTheNewestChoicesAreKept() {
    TreeMap<Long, AcceptedLoss> losses = new TreeMap<>();
    for (long i = 0; i < LossRules.MAX_RECORDS + 6; i++) {
      long id = i * 0x9E3779B97F4A7C15L; // in no order
      losses.put(id, new AcceptedLoss(id, i, 5, "ann", List.of(), List.of()));
    }
    LossRules.trim(losses);
    assertThat(losses.values()).hasSize(LossRules.MAX_RECORDS).allMatch(loss -> loss.epoch() >= 6);
  }

  @Test
  void aChoiceNeedsAnOperator() {
    stopAllAndStartAllButOne(3);
    ForceReopen nobody = new ForceReopen(List.of(), new Choice(1, 5, " ", List.of(id(GONE))));
    assertThat(refusal(() -> cluster.run(nobody))).isEqualTo(Reason.INVALID);
  }
}
