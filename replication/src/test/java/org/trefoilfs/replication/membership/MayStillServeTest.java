package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;

/** For whose lease a new view's primary has to wait. */
class MayStillServeTest {
  private final TestCluster cluster = TestCluster.of(0, 3);

  private static PgView view(long number, List<Integer> joining, Integer... members) {
    return new PgView(
        1,
        number,
        new HostId(members[0]),
        Arrays.stream(members).map(id -> new Member(new HostId(id), 1)).toList(),
        joining.stream().map(HostId::new).toList());
  }

  private boolean mayStillServe(PgView from, PgView to) {
    return cluster.module.view().mayStillServe(from, to);
  }

  @Test
  void memberThatLeftAliveMayServe() {
    assertThat(mayStillServe(view(1, List.of(), 1, 2, 3), view(2, List.of(), 1, 2))).isTrue();
    assertThat(mayStillServe(view(1, List.of(), 1, 2), view(2, List.of(3), 1, 2))).isFalse();
  }

  @Test
  void lostMemberHasNoLease() {
    cluster.lose(3);
    assertThat(mayStillServe(view(1, List.of(), 1, 2, 3), view(2, List.of(), 1, 2))).isFalse();
  }

  @Test
  void memberThatWasRemovedFromTheClusterMayServe() {
    cluster.run(new ClusterCommand.RemoveHost(new HostId(3)));
    assertThat(mayStillServe(view(1, List.of(), 1, 2, 3), view(2, List.of(), 1, 2))).isTrue();
  }

  @Test
  void joinerMayHaveBeenAMemberInAViewThatWasNotSeen() {
    assertThat(mayStillServe(view(1, List.of(3), 1, 2), view(2, List.of(), 1, 2))).isFalse();
    assertThat(mayStillServe(view(1, List.of(3), 1, 2), view(3, List.of(), 1, 2))).isTrue();
  }
}
