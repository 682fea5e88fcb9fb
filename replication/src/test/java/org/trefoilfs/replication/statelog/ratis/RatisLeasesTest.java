package org.trefoilfs.replication.statelog.ratis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.lease.Change;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Start;

/** Leases to read, over the real log. */
@Timeout(25)
class RatisLeasesTest {
  private static final long READER = 5;
  private static final long ROW = 10;

  @TempDir Path directory;

  /** One row, which every query reads and every command changes. */
  private static final class OneRow implements StateModule {
    final CountDownLatch applying = new CountDownLatch(1);
    final CountDownLatch mayApply = new CountDownLatch(1);

    @Override
    public byte id() {
      return 7;
    }

    @Override
    public byte[] apply(KeyValue state, byte[] command) {
      applying.countDown();
      try {
        mayApply.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      state.changes(new Change(0, 1, 1, List.of(ROW)));
      return new byte[0];
    }

    @Override
    public byte[] query(KeyValueReader state, byte[] query) {
      state.reads(ROW);
      return new byte[0];
    }
  }

  private static LeaseReport report(long generation, long number, Long... acknowledged) {
    return new LeaseReport(READER, generation, number, 1, List.of(acknowledged), List.of());
  }

  /**
   * A report that comes while a command is applied: to wait until that is answered would be to wait
   * for itself.
   */
  @Test
  void reportDoesNotWaitForAnAnswerThatWaitsForTheReport() throws Exception {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK, OneRow::new)) {
      cluster.start(1, Start.BOOTSTRAP);
      RatisStateLog log = cluster.awaitLeader();
      OneRow module = (OneRow) cluster.modules.values().iterator().next();
      long generation = Cluster.get(log.keepLeases(report(0, 1))).generation();
      assertThat(Cluster.get(log.lease((byte) 7, new byte[1], READER, true)).generation())
          .isEqualTo(generation);
      CompletableFuture<byte[]> changed = log.submit((byte) 7, new byte[1]);
      module.applying.await();
      CompletableFuture<LeaseNews> reported = log.keepLeases(report(generation, 2));
      module.mayApply.countDown();
      LeaseNews news = Cluster.get(reported);
      assertThat(changed).as("the reader has not forgotten").isNotDone();
      assertThat(news.revoked()).extracting(LeaseNews.Revocation::key).containsExactly(ROW);
      CompletableFuture<LeaseNews> forgotten =
          log.keepLeases(report(generation, 3, news.revoked().getFirst().number()));
      Cluster.get(changed);
      assertThat(Cluster.get(forgotten).renewed()).as("long before its lease ran out").isTrue();
    }
  }
}
