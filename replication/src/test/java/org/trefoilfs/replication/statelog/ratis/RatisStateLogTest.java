package org.trefoilfs.replication.statelog.ratis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.trefoilfs.replication.statelog.NotesModule.ID;
import static org.trefoilfs.replication.statelog.NotesModule.add;
import static org.trefoilfs.replication.statelog.NotesModule.count;
import static org.trefoilfs.replication.statelog.NotesModule.crash;
import static org.trefoilfs.replication.statelog.NotesModule.get;
import static org.trefoilfs.replication.statelog.NotesModule.number;
import static org.trefoilfs.replication.statelog.NotesModule.put;
import static org.trefoilfs.replication.statelog.NotesModule.putAndFail;
import static org.trefoilfs.replication.statelog.NotesModule.text;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.statelog.LeaderState;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Settings;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Start;

@Timeout(25)
class RatisStateLogTest {
  @TempDir Path directory;

  @Test
  void aloneItCommitsAndReadsWhatItCommittedAlsoAfterARestart() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      cluster.start(1, Start.BOOTSTRAP);
      RatisStateLog log = cluster.awaitLeader();
      Cluster.get(log.submit(ID, put("a", "1")));
      assertThat(text(Cluster.get(log.query(ID, get("a"))))).isEqualTo("1");
      assertThat(cluster.notes(1).applied).isEqualTo(1);

      cluster.stop(new HostId(1));
      cluster.start(1, Start.RESTART);
      RatisStateLog again = cluster.awaitLeader();

      assertThat(text(Cluster.get(again.query(ID, get("a"))))).isEqualTo("1");
      assertThat(cluster.notes(1).restored).isEqualTo(1);
      assertThat(cluster.notes(1).applied).as("not applied twice").isZero();
    }
  }

  @Test
  void aModulesRefusalReachesTheSubmitterAndLeavesNoTrace() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      cluster.start(1, Start.BOOTSTRAP);
      RatisStateLog log = cluster.awaitLeader();
      assertThat(reasonOf(log.submit(ID, putAndFail("x")))).isEqualTo(Reason.EXISTS);
      assertThat(reasonOf(log.query(ID, get("x")))).isEqualTo(Reason.NOT_FOUND);
    }
  }

  @Test
  void aDefectInAModuleStopsTheReplicaInsteadOfLettingItDiverge() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      cluster.start(1, Start.BOOTSTRAP);
      RatisStateLog log = cluster.awaitLeader();
      assertThat(reasonOf(log.submit(ID, crash()))).isEqualTo(Reason.OUTCOME_UNKNOWN);
      assertThat(Cluster.get(log.failed())).hasMessageContaining("a defect");
      assertThat(log.isLeader()).isFalse();
      assertThat(reasonOf(log.submit(ID, put("a", "1")))).isEqualTo(Reason.UNAVAILABLE);
      assertThat(reasonOf(log.query(ID, get("a")))).isEqualTo(Reason.UNAVAILABLE);
    }
  }

  @Test
  void aRestartWithoutADirectoryIsRefused() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      assertThatThrownBy(() -> cluster.start(1, Start.RESTART))
          .isInstanceOf(TrefoilException.class)
          .hasMessageContaining("join anew");
    }
  }

  @Test
  void acknowledgedCommandsSurviveTheLeaderAndARestartOfAll() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      RatisStateLog first = cluster.grow(3);
      assertThat(first.members().voters()).isEqualTo(cluster.addresses);
      for (int i = 0; i < 50; i++) {
        Cluster.get(first.submit(ID, put("k" + i, "v" + i)));
      }
      HostId old = cluster.hostOf(first);
      RatisStateLog follower = cluster.logs.get(new HostId(2));
      assertThat(reasonOf(follower.submit(ID, put("no", "no")))).isEqualTo(Reason.NOT_LEADER);
      assertThat(follower.leader()).contains(old);

      cluster.stop(old);
      RatisStateLog second = cluster.awaitLeader();
      for (int i = 0; i < 50; i++) {
        assertThat(text(Cluster.get(second.query(ID, get("k" + i))))).isEqualTo("v" + i);
      }
      Cluster.get(second.submit(ID, put("later", "yes")));

      cluster.stopAll();
      for (HostId host : cluster.addresses.keySet()) {
        cluster.start(host.value(), Start.RESTART);
      }
      RatisStateLog third = cluster.awaitLeader();
      assertThat(text(Cluster.get(third.query(ID, get("later"))))).isEqualTo("yes");
      cluster.awaitSameStateEverywhere();
    }
  }

  @Test
  void aLeaderWithoutAMajorityNeitherConfirmsNorReadsNorDenies() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      RatisStateLog leader = cluster.grow(3);
      Cluster.get(leader.submit(ID, put("a", "1")));
      for (RatisStateLog log : List.copyOf(cluster.logs.values())) {
        if (log != leader) {
          Thread.startVirtualThread(log::close);
        }
      }
      // One command after another, so that one is under way when the majority is gone.
      Throwable failure = null;
      for (int i = 0; failure == null; i++) {
        failure = leader.submit(ID, put("b", "" + i)).handle((done, failed) -> failed).join();
      }
      assertThat(TrefoilException.of(failure).reason()).isEqualTo(Reason.OUTCOME_UNKNOWN);
      assertThat(reasonOf(leader.verifyLeadership())).isEqualTo(Reason.NOT_LEADER);
      assertThat(reasonOf(leader.query(ID, get("a")))).isEqualTo(Reason.NOT_LEADER);
      assertThat(reasonOf(leader.submit(ID, put("c", "3")))).isEqualTo(Reason.NOT_LEADER);
    }
  }

  @Test
  void aNewcomerInstallsTheSnapshotWhenTheLogIsGone() {
    Settings settings =
        new Settings(
            Duration.ofMillis(250),
            Duration.ofMillis(400),
            Duration.ofSeconds(2),
            Duration.ofSeconds(5),
            1_500,
            0,
            64 << 10);
    try (Cluster cluster = new Cluster(directory, settings)) {
      cluster.start(1, Start.BOOTSTRAP);
      RatisStateLog log = cluster.awaitLeader();
      List<CompletableFuture<byte[]>> sent = new ArrayList<>();
      for (int i = 0; i < 4_000; i++) {
        sent.add(log.submit(ID, put("key-" + i, "value-" + "x".repeat(i % 200))));
      }
      sent.forEach(Cluster::get);
      assertThat(Cluster.get(log.snapshot())).isGreaterThan(3_900);
      assertThat(log.firstLogIndex()).as("the log was purged").isGreaterThan(1_000);

      cluster.start(2, Start.JOIN);
      cluster.start(3, Start.JOIN);
      Cluster.get(log.setMembers(Map.copyOf(cluster.addresses), Map.of()));
      Cluster.get(log.submit(ID, put("after", "snapshot")));
      cluster.awaitSameStateEverywhere();
      assertThat(Cluster.dump(log)).hasSize(4_001);
      assertThat(cluster.notes(2).applied).isLessThan(3_000);

      HostId two = new HostId(2);
      cluster.stop(two);
      cluster.start(2, Start.RESTART);
      cluster.awaitSameStateEverywhere();
    }
  }

  @Test
  void aMemberThatLaggedBehindThePurgedLogCatchesUpBySnapshot() {
    Settings settings =
        new Settings(
            Duration.ofMillis(250),
            Duration.ofMillis(400),
            Duration.ofSeconds(2),
            Duration.ofSeconds(5),
            1_500,
            0,
            64 << 10);
    try (Cluster cluster = new Cluster(directory, settings)) {
      cluster.grow(3);
      RatisStateLog leader = cluster.awaitLeader();
      Cluster.get(leader.submit(ID, put("before", "1")));
      HostId away =
          cluster.logs.keySet().stream()
              .filter(host -> cluster.logs.get(host) != leader)
              .findFirst()
              .orElseThrow();
      cluster.stop(away);
      List<CompletableFuture<byte[]>> sent = new ArrayList<>();
      for (int i = 0; i < 3_500; i++) {
        sent.add(leader.submit(ID, put("key-" + i % 700, "value-" + i)));
      }
      sent.forEach(Cluster::get);
      Cluster.get(leader.snapshot());
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> leader.firstLogIndex() > 1_000); // purged behind the snapshot

      RatisStateLog back = cluster.start(away.value(), Start.RESTART);
      cluster.awaitSameStateEverywhere();
      assertThat(text(back.queryLocal(ID, get("key-0")))).isEqualTo("value-2800");
    }
  }

  @Test
  void aListenerFollowsWithoutAVoteAndVotesOncePromoted() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      RatisStateLog leader = cluster.grow(2);
      Cluster.get(leader.submit(ID, put("a", "1")));
      var voters = Map.copyOf(cluster.addresses);
      RatisStateLog third = cluster.start(3, Start.JOIN);
      HostId three = new HostId(3);
      var address = cluster.addresses.get(three);

      Cluster.get(leader.setMembers(voters, Map.of(three, address)));
      assertThat(leader.members().listeners().keySet()).containsExactly(three);
      Cluster.get(leader.submit(ID, put("b", "2")));
      cluster.awaitSameStateEverywhere();
      assertThat(text(third.queryLocal(ID, get("b")))).isEqualTo("2");

      Cluster.get(leader.setMembers(Map.copyOf(cluster.addresses), Map.of()));
      assertThat(leader.members().voters()).hasSize(3);
      Cluster.get(leader.submit(ID, put("c", "3")));
      cluster.awaitSameStateEverywhere();

      cluster.stop(cluster.hostOf(leader));
      RatisStateLog next = cluster.awaitLeader();
      assertThat(text(Cluster.get(next.query(ID, get("c"))))).isEqualTo("3");
    }
  }

  @Test
  void leadershipIsToldAndCanBeHandedOver() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK)) {
      RatisStateLog one = cluster.grow(3);
      List<LeaderState> heard = new CopyOnWriteArrayList<>();
      one.onLeadershipChange(heard::add);
      Cluster.get(one.verifyLeadership());
      await().until(() -> !heard.isEmpty() && heard.getFirst().leading());

      HostId two = new HostId(2);
      Cluster.get(one.transferLeadership(two));
      await().until(() -> cluster.logs.get(two).isLeader());
      await().until(() -> !heard.getLast().leading());
      assertThat(cluster.logs.get(two).leadership().leading()).isTrue();
      assertThat(reasonOf(one.verifyLeadership())).isEqualTo(Reason.NOT_LEADER);

      RatisStateLog leader = cluster.logs.get(two);
      var rest = Map.of(two, cluster.addresses.get(two));
      Cluster.get(leader.setMembers(rest, Map.of()));
      assertThat(leader.members().voters().keySet()).isEqualTo(Set.of(two));
      assertThat(Cluster.get(one.failed())).as("a removed member stops").isNotNull();
      Cluster.get(leader.submit(ID, add(new OperationId(1, 1), 5)));
      assertThat(number(Cluster.get(leader.query(ID, count())))).isEqualTo(5);
    }
  }

  private static Reason reasonOf(CompletableFuture<?> future) {
    return TrefoilException.of(
            future
                .handle((value, failure) -> failure)
                .orTimeout(15, java.util.concurrent.TimeUnit.SECONDS)
                .join())
        .reason();
  }
}
