package org.trefoilfs.replication.simulation;

import java.util.SplittableRandom;

/**
 * What one run is made of. Not every run has every kind of fault (swarm testing: Groce and others,
 * 2012): a fault that is always there hides what happens without it.
 *
 * @param drift of clocks; two hosts' rates differ by less than the tenth that leases allow for
 * @param diskFaults full disks, failing syncs, rotting blocks
 * @param moves hosts that join, leave and are replaced
 * @param leaderChanges of the state log
 * @param slowDisks every sync takes tens of milliseconds
 */
record Plan(
    int hosts,
    int replicas,
    int steps,
    Network.Quality quality,
    double drift,
    boolean kills,
    boolean powerLosses,
    boolean cuts,
    boolean pauses,
    boolean diskFaults,
    boolean moves,
    boolean leaderChanges,
    boolean slowDisks) {
  private static final double MAX_DRIFT = 0.045;

  static Plan random(SplittableRandom random) {
    int replicas = random.nextInt(4) == 0 ? 2 : 3;
    return new Plan(
        replicas + random.nextInt(3),
        replicas,
        25 + random.nextInt(20),
        new Network.Quality(random.nextInt(3) * 40, random.nextInt(2) * 60, random.nextInt(2) * 40),
        random.nextBoolean() ? MAX_DRIFT : 0,
        random.nextInt(8) != 0,
        random.nextBoolean(),
        random.nextInt(3) != 0,
        random.nextInt(3) == 0,
        random.nextInt(3) == 0,
        random.nextInt(3) == 0,
        random.nextInt(3) == 0,
        random.nextInt(3) == 0);
  }
}
