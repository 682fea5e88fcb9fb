package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.trefoilfs.replication.membership.TestCluster.id;
import static org.trefoilfs.replication.membership.TestCluster.member;
import static org.trefoilfs.replication.membership.TestCluster.refusal;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.membership.ClusterCommand.CreateCluster;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.RegisterHost;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.ClusterCommand.SetHostState;
import org.trefoilfs.replication.placement.PgView;

class HostCommandsTest {
  private static RegisterHost register(String name, int port) {
    return new RegisterHost(
        name, new Address("10.0.0.1", port), new Address("10.0.0.1", port + 1), false, 1, name);
  }

  @Test
  void aClusterIsCreatedOnceUnderOneId() {
    TestCluster cluster = new TestCluster();
    assertThat(refusal(() -> cluster.run(register("a", 1)))).isEqualTo(Reason.INVALID);
    cluster.run(new CreateCluster("one", 5));
    long epoch = cluster.view().epoch();
    cluster.run(new CreateCluster("one", 5));
    assertThat(cluster.view().epoch()).isEqualTo(epoch);
    assertThat(cluster.view().placement().bits()).isEqualTo(5);
    assertThat(refusal(() -> cluster.run(new CreateCluster("two", 5)))).isEqualTo(Reason.EXISTS);
  }

  @Test
  void theFoundersDetectionTimeIsTheClustersIfItMakesSense() {
    TestCluster cluster = new TestCluster();
    for (long millis : new long[] {-1, 0, 499, 60_001}) {
      assertThat(refusal(() -> cluster.run(new CreateCluster("one", 5, Duration.ofMillis(millis)))))
          .isEqualTo(Reason.INVALID);
    }
    cluster.run(new CreateCluster("one", 5, Duration.ofMillis(1500)));
    assertThat(cluster.view().detection()).isEqualTo(Duration.ofMillis(1500));
    assertThat(ClusterRows.read(cluster.rows).view().detection())
        .isEqualTo(Duration.ofMillis(1500));
    ClusterView client = ClusterDelta.apply(ClusterView.empty(), cluster.module.deltaSince(0));
    assertThat(client.detection()).isEqualTo(Duration.ofMillis(1500));
  }

  @Test
  void aHostRegistersAgainUnderItsNameAndAddressAlone() {
    TestCluster cluster = TestCluster.of(2, 0);
    ClusterClient client = new ClusterClient(cluster);
    HostId first = client.registerHost(register("a", 1)).join();
    assertThat(client.registerHost(register("a", 1)).join()).isEqualTo(first);
    assertThat(cluster.host(1).state()).isEqualTo(HostState.JOINING);
    assertThatThrownBy(() -> cluster.run(register("a", 2)))
        .hasMessage("a host named 'a' exists already at 10.0.0.1:1; choose another --name");
    assertThat(refusal(() -> cluster.run(register("a", 2)))).isEqualTo(Reason.EXISTS);
    assertThat(refusal(() -> cluster.run(register("b", 1)))).isEqualTo(Reason.EXISTS);
    assertThat(refusal(() -> cluster.run(register("no spaces", 5)))).isEqualTo(Reason.INVALID);
  }

  @Test
  void aRemovedHostsNumberIsNeverGivenAgain() {
    TestCluster cluster = TestCluster.of(2, 2);
    cluster.run(new RemoveHost(id(2)));
    assertThat(cluster.register("new", false)).isEqualTo(id(3));
  }

  @Test
  void anOlderIncarnationIsRefusedAndTheSameOneChangesNothing() {
    TestCluster cluster = TestCluster.of(2, 1);
    cluster.start(1, 7);
    long epoch = cluster.view().epoch();
    cluster.start(1, 7);
    assertThat(cluster.view().epoch()).isEqualTo(epoch);
    assertThat(refusal(() -> cluster.start(1, 6))).isEqualTo(Reason.STALE);
  }

  @Test
  void aRestartedHostMayComeFromAnotherAddressThatIsFree() {
    TestCluster cluster = TestCluster.of(2, 2);
    Address moved = new Address("10.9.9.9", 1);
    cluster.run(new HostStarted(id(1), 2, moved, moved, Set.of()));
    assertThat(cluster.host(1).address()).isEqualTo(moved);
    assertThat(refusal(() -> cluster.run(new HostStarted(id(2), 2, moved, moved, Set.of()))))
        .isEqualTo(Reason.EXISTS);
  }

  @Test
  void aRestartedMemberBecomesAJoinerAndALiveMemberThePrimary() {
    TestCluster cluster = TestCluster.of(3, 3);
    cluster.createPool(3);
    PgView before = cluster.group(3 << 16);
    int primary = before.primary().value();
    cluster.start(primary, 2, member(1, 1), member(2, 1), member(3, 1));
    PgView after = cluster.group(3 << 16);
    assertThat(after.view()).isEqualTo(before.view() + 1);
    assertThat(after.member(id(primary))).isEmpty();
    assertThat(after.joining()).containsExactly(id(primary));
    assertThat(after.inSync()).hasSize(2);
    assertThat(after.primary()).isIn(after.inSync().stream().map(PgView.Member::host).toList());
  }

  @Test
  void aRestartedJoinerStaysOneInTheNextView() {
    TestCluster cluster = TestCluster.of(0, 2);
    cluster.createPool(2);
    cluster.start(1, 2, member(2, 1));
    PgView before = cluster.group(2 << 16);
    assertThat(before.joining()).containsExactly(id(1));
    cluster.start(1, 3, member(2, 1));
    assertThat(cluster.group(2 << 16))
        .isEqualTo(before.next(before.primary(), before.inSync(), before.joining()));
  }

  @Test
  void aGroupClosesWhenItsRestartedMemberHasNoLiveOneBesides() {
    TestCluster cluster = TestCluster.of(0, 2);
    cluster.createPool(2);
    PgView before = cluster.group(2 << 16);
    cluster.start(1, 2, member(2, 99)); // another incarnation of host 2: no member
    PgView closed = cluster.group(2 << 16);
    assertThat(closed).isEqualTo(before.next(null, before.inSync(), List.of()));
    cluster.start(2, 2, member(1, 2));
    assertThat(cluster.group(2 << 16)).isEqualTo(closed);
  }

  @Test
  void aLostMemberLeavesAndALivingOneLeads() {
    TestCluster cluster = TestCluster.of(4, 4);
    cluster.createPool(3);
    cluster.lose(1);
    assertThat(cluster.host(1).state()).isEqualTo(HostState.DOWN);
    for (PgView group : cluster.view().placement().groups()) {
      assertThat(group.holds(id(1))).isFalse();
      assertThat(group.primary()).isNotNull();
      assertThat(group.inSync()).hasSizeBetween(2, 3);
    }
  }

  @Test
  void theLastMemberIsNeverForgotten() {
    TestCluster cluster = TestCluster.of(0, 2);
    cluster.createPool(2);
    cluster.lose(1);
    cluster.lose(2);
    PgView closed = cluster.group(2 << 16);
    assertThat(closed.primary()).isNull();
    assertThat(closed.inSync()).containsExactly(member(2, 1));
    assertThat(closed.view()).isEqualTo(3);
  }

  @Test
  void membersLostTogetherStayTheCompleteSet() {
    TestCluster cluster = TestCluster.of(0, 2);
    cluster.createPool(2);
    cluster.run(new HostsLost(cluster.view().epoch(), List.of(member(1, 1), member(2, 1))));
    assertThat(cluster.group(2 << 16).inSync())
        .containsExactlyInAnyOrder(member(1, 1), member(2, 1));
    assertThat(cluster.group(2 << 16).primary()).isNull();
  }

  @Test
  void aLossOfAnOlderIncarnationIsIgnored() {
    TestCluster cluster = TestCluster.of(0, 1);
    cluster.start(1, 2);
    long epoch = cluster.view().epoch();
    cluster.run(new HostsLost(epoch, List.of(member(1, 1))));
    assertThat(cluster.view().epoch()).isEqualTo(epoch);
  }

  @Test
  void aLossDecidedBeforeTheHostCameUpAgainIsIgnored() {
    TestCluster cluster = TestCluster.of(0, 1);
    HostsLost lost = new HostsLost(cluster.view().epoch(), List.of(member(1, 1)));
    cluster.run(lost);
    assertThat(cluster.host(1).state()).isEqualTo(HostState.DOWN);
    cluster.start(1, 1);
    cluster.run(lost);
    assertThat(cluster.host(1).state()).isEqualTo(HostState.UP);
  }

  @Test
  void aClosedGroupKeepsItsCompleteSetWhenItsHostsAreLost() {
    TestCluster cluster = TestCluster.of(0, 2);
    cluster.createPool(2);
    cluster.start(1, 2);
    PgView closed = cluster.group(2 << 16);
    cluster.lose(1);
    cluster.lose(2);
    assertThat(cluster.group(2 << 16)).isEqualTo(closed);
  }

  @Test
  void leavingOutlivesBeingDown() {
    TestCluster cluster = TestCluster.of(0, 1);
    cluster.run(new SetHostState(id(1), HostState.LEAVING));
    assertThat(cluster.host(1).state()).isEqualTo(HostState.LEAVING);
    cluster.lose(1);
    assertThat(cluster.host(1).state()).isEqualTo(HostState.DOWN);
    cluster.start(1, 2);
    assertThat(cluster.host(1).state()).isEqualTo(HostState.LEAVING);
    cluster.run(new SetHostState(id(1), HostState.UP));
    assertThat(cluster.host(1).state()).isEqualTo(HostState.UP);
    assertThat(refusal(() -> cluster.run(new SetHostState(id(1), HostState.DOWN))))
        .isEqualTo(Reason.INVALID);
  }

  @Test
  void aHostThatHoldsGroupsIsNotRemoved() {
    TestCluster cluster = TestCluster.of(1, 1);
    cluster.createPool(1);
    assertThatThrownBy(() -> cluster.run(new RemoveHost(id(1))))
        .hasMessageContaining("host 'host-1' still holds 2 placement groups");
    assertThat(refusal(() -> cluster.run(new RemoveHost(id(9))))).isEqualTo(Reason.NOT_FOUND);
  }
}
