package org.trefoilfs.replication.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.trefoilfs.replication.simulation.AsyncSimulation.Mistake;

/** New seeds each time; {@code -Dtrefoil.async.seeds=N -Dtrefoil.async.seed=S} says otherwise. */
class AsyncSimulationTest {
  private static final int CATCHING = 1500;

  @Test
  void mountsThatCommitAsynchronouslyLoseNoMoreThanTheySay() {
    long first = Long.getLong("trefoil.async.seed", new Random().nextInt() & 0xffff_ffffL);
    int seeds = Integer.getInteger("trefoil.async.seeds", 300);
    long applied = 0;
    long lost = 0;
    for (long seed = first; seed < first + seeds; seed++) {
      try {
        AsyncSimulation run = AsyncSimulation.play(seed, Mistake.NONE);
        applied += run.applied;
        lost += run.lost;
      } catch (Violation | RuntimeException e) {
        throw new AssertionError(
            "seed "
                + seed
                + ": replay with -Dtest=AsyncSimulationTest -Dtrefoil.async.seeds=1"
                + " -Dtrefoil.async.seed="
                + seed,
            e);
      }
    }
    System.out.printf(
        "%d runs from seed %d: %d batches applied, %d losses%n", seeds, first, applied, lost);
    assertThat(applied).isGreaterThan(seeds * 100L);
    assertThat(lost).isPositive();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void eachMistakeIsNoticed(Mistake mistake) {
    for (long seed = mistake.first; seed < mistake.first + CATCHING; seed++) {
      try {
        AsyncSimulation.play(seed, mistake);
      } catch (Violation e) {
        System.out.printf("%s: seed %d: %s%n", mistake, seed, e.getMessage());
        return;
      }
    }
    throw new AssertionError(mistake + " was not noticed in " + CATCHING + " runs");
  }
}
