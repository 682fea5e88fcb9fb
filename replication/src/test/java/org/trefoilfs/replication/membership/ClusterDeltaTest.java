package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.refusal;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;

class ClusterDeltaTest {
  @Test
  void nothingNewerIsSmallAndChangesNothing() {
    TestCluster cluster = TestCluster.of(8, 3);
    cluster.createPool(3);
    ClusterView view = cluster.view();
    byte[] delta = cluster.module.deltaSince(view.epoch());
    assertThat(ClusterDelta.isEmpty(delta)).isTrue();
    assertThat(delta.length).isLessThan(64);
    assertThat(ClusterDelta.apply(view, delta)).isSameAs(view);
    assertThat(new ClusterClient(cluster).latest(view).join()).isSameAs(view);
  }

  @Test
  void onlyChangedGroupsTravel() {
    TestCluster cluster = TestCluster.of(8, 3);
    cluster.createPool(3);
    ClusterView old = cluster.view();
    cluster.change(cluster.group(3 << 16).next(null, cluster.group(3 << 16).inSync(), List.of()));
    byte[] delta = cluster.module.deltaSince(old.epoch());
    assertThat(ClusterDelta.isEmpty(delta)).isFalse();
    assertThat(delta.length).isLessThan(500);
    assertThat(ClusterDelta.apply(old, delta)).isEqualTo(cluster.view());
    assertThat(new ClusterClient(cluster).latest(old).join()).isEqualTo(cluster.view());
    assertThat(ClusterDelta.apply(cluster.view(), delta)).isSameAs(cluster.view());
  }

  @Test
  void aGapOrAnotherClusterIsRefused() {
    TestCluster cluster = TestCluster.of(2, 1);
    long middle = cluster.view().epoch();
    cluster.createPool(1);
    byte[] delta = cluster.module.deltaSince(middle);
    assertThat(refusal(() -> ClusterDelta.apply(ClusterView.empty(), delta)))
        .isEqualTo(Reason.STALE_VIEW);
    ClusterView stranger =
        ClusterView.of(
            "other",
            java.util.Map.of(),
            java.util.Map.of(),
            java.util.Map.of(),
            ClusterView.empty().placement());
    assertThat(refusal(() -> ClusterDelta.apply(stranger, delta))).isEqualTo(Reason.REFUSED);
  }

  @Test
  void listenersSeeEveryChangeOnce() {
    TestCluster cluster = TestCluster.of(2, 1);
    List<Long> epochs = new ArrayList<>();
    cluster.module.listen(view -> epochs.add(view.epoch()));
    long before = cluster.view().epoch();
    cluster.start(1, 2);
    cluster.start(1, 2);
    cluster.start(1, 3);
    assertThat(epochs).containsExactly(before + 1, before + 2);
  }

  @Test
  void aCommandUndoneByTheStoreIsUndoneInTheMirror() {
    TestCluster cluster = TestCluster.of(2, 1);
    var rows = cluster.rows.copy();
    ClusterView before = cluster.view();
    ClusterCommand lost =
        new ClusterCommand.HostsLost(before.epoch(), List.of(TestCluster.member(1, 1)));
    cluster.module.apply(cluster.rows, lost.encode());
    cluster.rows = rows;
    cluster.module.applied(cluster.rows);
    assertThat(cluster.view()).isEqualTo(before);
  }
}
