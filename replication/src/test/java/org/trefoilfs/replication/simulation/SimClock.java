package org.trefoilfs.replication.simulation;

import org.trefoilfs.replication.env.TimeSource;

/**
 * A machine's monotonic clock: of an origin of its own, and running a little too fast or too slow.
 */
final class SimClock implements TimeSource {
  private final Network network;
  private final double rate;
  private final long origin;

  /**
   * @param drift by which it may be wrong: 0.04 is four per cent, either way
   */
  SimClock(Network network, double drift) {
    this.network = network;
    this.rate = 1 + (2 * network.random.nextDouble() - 1) * drift;
    this.origin = network.random.nextLong(1L << 50);
  }

  @Override
  public long nanoTime() {
    return origin + (long) (network.now() * rate);
  }

  @Override
  public long wallNanos() {
    return nanoTime();
  }
}
