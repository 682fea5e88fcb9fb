package org.trefoilfs.replication.statelog.ratis;

import static org.trefoilfs.replication.statelog.NotesModule.ID;
import static org.trefoilfs.replication.statelog.NotesModule.get;
import static org.trefoilfs.replication.statelog.NotesModule.put;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Settings;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Start;

/** Latency and rate of the state log; run it by name, {@code -Dtest=StateLogBench}. */
class StateLogBench {
  private static final int ROUNDS = 3;
  @TempDir Path directory;

  @Test
  void threeVotersInOneProcess() throws InterruptedException {
    try (Cluster cluster = new Cluster(directory, Settings.DEFAULT)) {
      RatisStateLog log = cluster.start(1, Start.BOOTSTRAP);
      cluster.awaitLeader();
      report("1 voter", log);
      cluster.start(2, Start.JOIN);
      cluster.start(3, Start.JOIN);
      Cluster.get(log.setMembers(Map.copyOf(cluster.addresses), Map.of()));
      report("3 voters", log);
    }
  }

  private static void report(String what, RatisStateLog log) throws InterruptedException {
    for (int round = 0; round < ROUNDS; round++) {
      System.out.println(what + ": submit " + submit(log, 1, 1_500));
      System.out.println(what + ": submit " + submit(log, 16, 15_000));
      System.out.println(what + ": submit " + submit(log, 64, 25_000));
      System.out.println(what + ": query  " + queries(log, 50_000));
    }
  }

  private static String submit(RatisStateLog log, int depth, int count)
      throws InterruptedException {
    long[] took = new long[count];
    AtomicInteger failures = new AtomicInteger();
    Semaphore slots = new Semaphore(depth);
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      slots.acquire();
      int number = i;
      long sent = System.nanoTime();
      log.submit(ID, put("key-" + i % 1000, "a value of some length, about a hundred bytes, say"))
          .whenComplete(
              (reply, failure) -> {
                took[number] = System.nanoTime() - sent;
                if (failure != null) {
                  failures.incrementAndGet();
                }
                slots.release();
              });
    }
    slots.acquire(depth);
    return "depth " + depth + ": " + figures(took, System.nanoTime() - start, failures.get());
  }

  private static String queries(RatisStateLog log, int count) {
    long[] took = new long[count];
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      long sent = System.nanoTime();
      log.query(ID, get("key-" + i % 1000)).join();
      took[i] = System.nanoTime() - sent;
    }
    return "depth 1: " + figures(took, System.nanoTime() - start, 0);
  }

  private static String figures(long[] took, long total, int failures) {
    Arrays.sort(took);
    return "p50 %.1f us, p99 %.1f us, %.0f/s, %d failed"
        .formatted(
            took[took.length / 2] / 1e3,
            took[took.length * 99 / 100] / 1e3,
            took.length * 1e9 / total,
            failures);
  }
}
