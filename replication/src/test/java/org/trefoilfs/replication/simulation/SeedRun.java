package org.trefoilfs.replication.simulation;

import java.util.function.LongFunction;

/** One run, told in types that every class loader shares: null, or what did not hold. */
public final class SeedRun implements LongFunction<String> {
  @Override
  public String apply(long seed) {
    try {
      Simulation.play(seed);
      return null;
    } catch (AssertionError | RuntimeException e) {
      return e.toString();
    }
  }
}
