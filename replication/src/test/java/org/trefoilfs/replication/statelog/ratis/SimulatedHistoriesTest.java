package org.trefoilfs.replication.statelog.ratis;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.simulation.Simulation;

/**
 * The simulator's state log is ideal. What it decided in a run, Ratis decides as well: each command
 * in turn, while its servers are killed, hand over and come back.
 */
class SimulatedHistoriesTest {
  private static final int HISTORIES = Integer.getInteger("trefoil.histories", 3);

  /** Of so many runs the one with the longest log is taken: most decide little. */
  private static final int CHOICE = 100;

  @TempDir Path directory;

  @Test
  @Timeout(300)
  void ratisDecidesWhatTheIdealLogDecided() {
    long first = Long.getLong("trefoil.seed", new Random().nextLong() >>> 16);
    System.out.printf("replaying on Ratis logs of the simulator, -Dtrefoil.seed=%d%n", first);
    for (int history = 0; history < HISTORIES; history++) {
      long seed = longest(first + history * CHOICE);
      try (HistoryReplay replay = new HistoryReplay(directory.resolve("" + seed), seed)) {
        System.out.println(replay.play());
      }
    }
  }

  private static long longest(long from) {
    return LongStream.range(from, from + CHOICE)
        .boxed()
        .max(Comparator.comparing(seed -> Simulation.history(seed).size()))
        .orElseThrow();
  }
}
