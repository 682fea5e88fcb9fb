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
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
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
      cluster.grow(3);
      for (HostId away : List.copyOf(cluster.logs.keySet())) {
        if (!away.equals(cluster.hostOf(cluster.awaitLeader()))) {
          cluster.stop(away);
          submitMany(cluster);
          cluster.start(away.value(), Start.RESTART);
          cluster.awaitSameStateEverywhere();
        }
      }
      RatisStateLog first = cluster.awaitLeader();
      Cluster.get(first.submit(ID, put("last", "word")));
      cluster.stop(cluster.hostOf(first));
      RatisStateLog second = cluster.awaitLeader();
      assertThat(text(Cluster.get(second.query(ID, get("last"))))).isEqualTo("word");
    }
  }

  /**
   * Enough for who is away to be far behind, though an impatient leader may step down meanwhile.
   */
  private static void submitMany(Cluster cluster) throws InterruptedException {
    Random random = new Random(5);
    Semaphore room = new Semaphore(IN_FLIGHT);
    AtomicInteger committed = new AtomicInteger();
    while (committed.get() < BEHIND) {
      RatisStateLog leader = cluster.awaitLeader();
      for (int i = committed.get(); i < BEHIND && leader.isLeader(); i++) {
        room.acquire();
        leader
            .submit(ID, put("key" + random.nextInt(1000), "value" + i))
            .whenComplete(
                (_, failure) -> {
                  committed.addAndGet(failure == null ? 1 : 0);
                  room.release();
                });
      }
      room.acquire(IN_FLIGHT);
      room.release(IN_FLIGHT);
    }
  }
}
