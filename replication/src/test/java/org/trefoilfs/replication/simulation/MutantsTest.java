package org.trefoilfs.replication.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The simulation's own proof: mistakes that people make are noticed. */
class MutantsTest {
  static List<Mutant> mutants() {
    return Mutants.ALL;
  }

  @ParameterizedTest
  @MethodSource("mutants")
  void mutantIsCaught(Mutant mutant) {
    long first = new Random().nextLong() >>> 16;
    Seeds seeds = new Seeds(first, Mutants.SEEDS, MutantLoader.simulationOf(mutant), 1);
    assertThat(seeds.play())
        .as("mutant %s, %d runs from seed %d", mutant.name(), Mutants.SEEDS, first)
        .isNotEmpty();
    System.out.println(mutant.name() + " was caught after " + seeds.done() + " runs");
  }
}
