package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.id;
import static org.trefoilfs.replication.membership.TestCluster.member;
import static org.trefoilfs.replication.membership.TestCluster.refusal;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.ClusterCommand.CreatePool;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.Placement;
import org.trefoilfs.replication.placement.Reopened;

class GroupCommandsTest {
  private static final int PG = 2 << 16;
  private TestCluster cluster;
  private PgView now;

  /** Hosts 1 to 3 and a witness, 4; the group is on two of the three. */
  @BeforeEach
  void twoMembersAndASpareHost() {
    cluster = TestCluster.of(0, 3);
    cluster.register("witness", true);
    cluster.start(4, 1);
    cluster.createPool(2);
    now = cluster.group(PG);
  }

  private HostId spare() {
    return List.of(id(1), id(2), id(3)).stream()
        .filter(h -> !now.holds(h))
        .findFirst()
        .orElseThrow();
  }

  private HostId other() {
    return now.inSync().stream()
        .map(PgView.Member::host)
        .filter(host -> !host.equals(now.primary()))
        .findFirst()
        .orElseThrow();
  }

  private PgView.Member first(HostId host) {
    return member(host.value(), 1);
  }

  @Test
  void aJoinerIsPromotedUnderItsIncarnation() {
    PgView joined = now.next(now.primary(), now.inSync(), List.of(spare()));
    assertThat(cluster.change(joined)).isEqualTo(new ChangeResult.Applied(joined));
    List<PgView.Member> three = new ArrayList<>(now.inSync());
    three.add(first(spare()));
    PgView promoted = joined.next(joined.primary(), three, List.of());
    assertThat(cluster.change(promoted)).isEqualTo(new ChangeResult.Applied(promoted));
    assertThat(cluster.group(PG)).isEqualTo(promoted);
  }

  @Test
  void aChangeOfAnOlderViewIsRefusedWithThePresentOne() {
    PgView next = now.next(now.primary(), List.of(first(now.primary())), List.of());
    cluster.change(next);
    assertThat(cluster.change(next)).isEqualTo(new ChangeResult.Refused(next));
  }

  @Test
  void changesOfOneCommandAreIndependent() {
    TestCluster two = TestCluster.of(1, 2);
    two.createPool(2);
    PgView a = two.group(PG);
    PgView b = two.group(PG + 1);
    PgView nextA = a.next(a.primary(), List.of(member(a.primary().value(), 1)), List.of());
    PgView nextB = b.next(b.primary(), List.of(member(b.primary().value(), 1)), List.of());
    List<ChangeResult> results =
        new ClusterClient(two)
            .changeViews(
                List.of(
                    new ClusterCommand.Change(a.view() + 5, nextA),
                    new ClusterCommand.Change(b.view(), nextB)))
            .join();
    assertThat(results)
        .containsExactly(new ChangeResult.Refused(a), new ChangeResult.Applied(nextB));
  }

  @Test
  void aNonMemberIsNeverPromoted() {
    List<PgView.Member> three = new ArrayList<>(now.inSync());
    three.add(first(spare()));
    assertInvalid(now.next(now.primary(), three, List.of()));
    assertInvalid(now.next(spare(), now.inSync(), List.of(spare())));
  }

  @Test
  void aJoinerOfAnotherIncarnationIsNeverPromoted() {
    PgView joined = now.next(now.primary(), now.inSync(), List.of(spare()));
    cluster.change(joined);
    List<PgView.Member> three = new ArrayList<>(now.inSync());
    three.add(member(spare().value(), 2));
    assertInvalid(joined.next(joined.primary(), three, List.of()));
  }

  @Test
  void malformedViewsAreInvalid() {
    assertInvalid(now.next(null, List.of(), List.of()));
    assertInvalid(now.next(now.primary(), now.inSync(), List.of(other())));
    assertInvalid(now.next(now.primary(), now.inSync(), List.of(spare(), spare())));
    assertInvalid(now.next(now.primary(), now.inSync(), List.of(id(4))));
    assertInvalid(now.next(now.primary(), now.inSync(), List.of(id(99))));
    PgView skipping = new PgView(PG, now.view() + 2, now.primary(), now.inSync(), List.of());
    assertThat(refusal(() -> cluster.change(now.view(), skipping))).isEqualTo(Reason.INVALID);
    PgView unknown = new PgView(77, 2, now.primary(), now.inSync(), List.of());
    assertThat(refusal(() -> cluster.change(1, unknown))).isEqualTo(Reason.INVALID);
    assertThat(cluster.group(PG)).isEqualTo(now);
  }

  @Test
  void aHostThatWentDownMeanwhileDoesNotJoin() {
    cluster.lose(spare().value());
    assertThat(cluster.change(now.next(now.primary(), now.inSync(), List.of(spare()))))
        .isEqualTo(new ChangeResult.Refused(now));
  }

  @Test
  void aClosedGroupOpensByReopeningAlone() {
    int a = now.primary().value();
    int b = other().value();
    cluster.start(a, 2);
    PgView closed = cluster.group(PG);
    assertInvalid(closed.next(id(b), closed.inSync(), List.of()));
    assertThat(cluster.reopen(PG, member(a, 1))).isInstanceOf(ChangeResult.Refused.class);
    ChangeResult result = cluster.reopen(PG, member(a, 2), id(b), spare(), id(a));
    assertThat(result.view())
        .isEqualTo(
            closed
                .next(id(a), List.of(member(a, 2)), List.of(id(b), spare()))
                .openedWith(new Version(3, 4)));
    assertThat(cluster.reopen(PG, member(a, 2))).isInstanceOf(ChangeResult.Refused.class);
  }

  @Test
  void howAGroupWasLastOpenedIsNothingThatItsPrimaryProposes() {
    int a = now.primary().value();
    cluster.start(a, 2);
    Reopened first = cluster.reopen(PG, member(a, 2)).view().reopened();
    assertThat(first).isEqualTo(new Reopened(3, new Version(3, 4), 0));
    PgView open = cluster.group(PG);
    PgView ignorant = open.next(open.primary(), open.inSync(), List.of(spare()));
    assertThat(cluster.change(ignorant.with(Reopened.NEVER)).view().reopened()).isEqualTo(first);
    cluster.start(a, 3);
    assertThat(cluster.reopen(PG, member(a, 3)).view().reopened())
        .isEqualTo(new Reopened(6, new Version(3, 4), 3));
  }

  @Test
  void aRestartedMemberOpensAGroupOnlyWithTheCompleteSetUp() {
    int a = now.primary().value();
    int b = other().value();
    cluster.start(a, 2);
    cluster.lose(b);
    assertThat(cluster.reopen(PG, member(a, 2))).isInstanceOf(ChangeResult.Refused.class);
    cluster.start(b, 2);
    assertThat(cluster.reopen(PG, member(a, 2), id(b))).isInstanceOf(ChangeResult.Applied.class);
  }

  @Test
  void aMemberThatNeverStoppedOpensAGroupByItself() {
    int a = now.primary().value();
    int b = other().value();
    cluster.start(a, 2);
    cluster.lose(a);
    ChangeResult result = cluster.reopen(PG, member(b, 1), id(a));
    assertThat(result.view().primary()).isEqualTo(id(b));
    assertThat(result.view().joining()).isEmpty(); // it is down
  }

  @Test
  void aGroupOpensWithAllWhoHoldItsLastWrite() {
    int a = now.primary().value();
    int b = other().value();
    cluster.start(a, 2);
    cluster.start(b, 2);
    List<Member> both = List.of(member(b, 2), member(a, 2));
    assertThat(cluster.reopen(PG, List.of(member(b, 2), member(a, 1))))
        .isInstanceOf(ChangeResult.Refused.class);
    ChangeResult result = cluster.reopen(PG, both, id(a), spare());
    assertThat(result.view().primary()).isEqualTo(id(b));
    assertThat(result.view().inSync()).containsExactlyElementsOf(both);
    assertThat(result.view().joining()).containsExactly(spare());
  }

  @Test
  void aRestartedMemberDoesNotPassForOneThatNeverStopped() {
    int a = now.primary().value();
    int b = other().value();
    cluster.start(a, 2);
    cluster.lose(a);
    cluster.start(a, 3);
    cluster.lose(b);
    assertThat(cluster.reopen(PG, List.of(member(a, 3)))).isInstanceOf(ChangeResult.Refused.class);
  }

  @Test
  void nobodyAndTheSameTwiceOpenNoGroup() {
    int a = now.primary().value();
    cluster.start(a, 2);
    assertThat(refusal(() -> cluster.reopen(PG, List.of()))).isEqualTo(Reason.INVALID);
    assertThat(refusal(() -> cluster.reopen(PG, List.of(member(a, 2), member(a, 2)))))
        .isEqualTo(Reason.INVALID);
  }

  @Test
  void aStrangerNeverOpensAGroup() {
    cluster.start(now.primary().value(), 2);
    assertThat(refusal(() -> cluster.reopen(PG, first(spare())))).isEqualTo(Reason.INVALID);
  }

  @Test
  void aSoleMemberThatComesBackUnderItsIncarnationMayServeAgain() {
    TestCluster one = TestCluster.of(0, 1);
    one.createPool(1);
    one.lose(1);
    one.start(1, 1);
    assertThat(one.group(1 << 16).primary()).isNull();
    assertThat(one.reopen(1 << 16, member(1, 1)).view().primary()).isEqualTo(id(1));
  }

  @Test
  void aPoolIsCreatedOnceFromWholeTablesOfLivingHosts() {
    TestCluster two = TestCluster.of(1, 2);
    List<PgView> table = Placement.initial(2, 1, two.view().hosts().values());
    assertThat(refusal(() -> two.run(new CreatePool(2, table.subList(0, 1)))))
        .isEqualTo(Reason.INVALID);
    assertThat(refusal(() -> two.run(new CreatePool(1, table)))).isEqualTo(Reason.INVALID);
    two.start(1, 2);
    assertThat(refusal(() -> two.run(new CreatePool(2, table)))).isEqualTo(Reason.STALE_VIEW);
    two.createPool(2);
    long epoch = two.view().epoch();
    two.run(new CreatePool(2, table));
    assertThat(two.view().epoch()).isEqualTo(epoch);
  }

  private void assertInvalid(PgView next) {
    PgView before = cluster.group(PG);
    assertThat(refusal(() -> cluster.change(next))).isEqualTo(Reason.INVALID);
    assertThat(cluster.group(PG)).isEqualTo(before);
  }
}
