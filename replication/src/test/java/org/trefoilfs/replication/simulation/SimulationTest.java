package org.trefoilfs.replication.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** New seeds each time; {@code tools/simulate} plays more, and one again with its trace. */
class SimulationTest {
  private static final int RUNS = Integer.getInteger("trefoil.seeds", 2000);

  @Test
  void everythingPromisedHoldsUnderFaults() {
    long first = Long.getLong("trefoil.seed", new Random().nextLong() >>> 16);
    long began = System.nanoTime();
    TreeMap<Long, String> failures = new Seeds(first, RUNS, new SeedRun(), 3).play();
    System.out.printf(
        "simulated %d runs from seed %d in %.1f s%n",
        RUNS, first, (System.nanoTime() - began) / 1e9);
    assertThat(failures)
        .as(
            () ->
                failures.entrySet().stream()
                    .map(each -> Simulate.failure(each.getKey(), each.getValue()))
                    .collect(Collectors.joining("\n")))
        .isEmpty();
  }

  @Test
  void runsDoSomethingWorthWatching() {
    int writes = 0;
    int reads = 0;
    int flushes = 0;
    for (long seed = 1; seed <= 50; seed++) {
      Simulation.Result result = Simulation.play(seed);
      writes += result.writes();
      reads += result.reads();
      flushes += result.flushes();
    }
    assertThat(writes).isGreaterThan(50 * 20);
    assertThat(reads).isGreaterThan(50 * 20);
    assertThat(flushes).isGreaterThan(50 * 2);
  }

  @Test
  void seedDecidesEveryStep() {
    assertThat(Simulation.trace(4711)).isEqualTo(Simulation.trace(4711)).hasSizeGreaterThan(100);
  }
}
