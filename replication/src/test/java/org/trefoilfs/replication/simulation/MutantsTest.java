package org.trefoilfs.replication.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulation's own proof: mistakes that people make are noticed. Always the same seeds, so that
 * a rare one is not missed by chance; {@code tools/simulate --mutant} takes new ones.
 */
class MutantsTest {
  private static final long FIRST = 1;

  static List<Mutant> mutants() {
    return Mutants.ALL;
  }

  @ParameterizedTest
  @MethodSource("mutants")
  void mutantIsCaught(Mutant mutant) {
    Seeds seeds = new Seeds(FIRST, Mutants.SEEDS, MutantLoader.simulationOf(mutant), 1);
    assertThat(seeds.play())
        .as("mutant %s, %d runs from seed %d", mutant.name(), Mutants.SEEDS, FIRST)
        .isNotEmpty();
    System.out.println(mutant.name() + " was caught after " + seeds.done() + " runs");
  }
}
