package org.trefoilfs.replication.statelog.ratis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.statelog.NotesModule.ID;
import static org.trefoilfs.replication.statelog.NotesModule.get;
import static org.trefoilfs.replication.statelog.NotesModule.put;
import static org.trefoilfs.replication.statelog.NotesModule.text;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Settings;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Start;

/**
 * A follower that takes longer for one message than the leader waits is sent it again, on another
 * connection. Ratis 3.3.0 refuses to append twice at once, and never again stands for election once
 * it has: its count of messages under way stays above zero. With both followers in that state, the
 * leader's death would be the end.
 */
class FarBehindTest {
  private static final int BEHIND = 40_000;
  private static final int IN_FLIGHT = 1000;

  /** The leader is impatient: a busy machine would need longer for one message than it waits. */
  private static final Settings IMPATIENT =
      new Settings(
          Duration.ofMillis(250),
          Duration.ofMillis(400),
          Duration.ofMillis(60),
          Duration.ofSeconds(5),
          200_000,
          0,
          1 << 20);

  @TempDir Path directory;

  @Test
  @Timeout(180)
  void followersThatWereFarBehindElectALeaderWhenTheirsDies() throws InterruptedException {
    try (Cluster cluster = new Cluster(directory, IMPATIENT)) {
      RatisStateLog leader = cluster.grow(3);
      HostId first = cluster.hostOf(leader);
      for (HostId away : List.copyOf(cluster.logs.keySet())) {
        if (!away.equals(first)) {
          cluster.stop(away);
          submitMany(leader);
          cluster.start(away.value(), Start.RESTART);
          cluster.awaitSameStateEverywhere();
        }
      }
      assertThat(leader.isLeader()).isTrue();
      Cluster.get(leader.submit(ID, put("last", "word")));
      cluster.stop(first);
      RatisStateLog second = cluster.awaitLeader();
      assertThat(text(Cluster.get(second.query(ID, get("last"))))).isEqualTo("word");
    }
  }

  private static void submitMany(RatisStateLog leader) throws InterruptedException {
    Random random = new Random(5);
    Semaphore room = new Semaphore(IN_FLIGHT);
    CompletableFuture<?> last = CompletableFuture.completedFuture(null);
    for (int i = 0; i < BEHIND; i++) {
      room.acquire();
      last =
          leader
              .submit(ID, put("key" + random.nextInt(1000), "value" + i))
              .whenComplete((_, _) -> room.release());
    }
    room.acquire(IN_FLIGHT);
    Cluster.get(last);
  }
}
