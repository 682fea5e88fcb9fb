package org.trefoilfs.replication.simulation;

import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * Simulated time and links: seeded, single-threaded. On a link messages keep their order, as on
 * TCP, but for those that a reconnect lets overtake; some are lost, some arrive twice.
 */
final class Network {
  /** Numbers of nodes: state log servers, then hosts, then clients. */
  static final int FIRST_HOST = 2;

  static final int FIRST_CLIENT = 24;
  static final int NODES = 32;

  static final long MILLI = 1_000_000L;
  static final long SECOND = 1_000_000_000L;

  private record Event(long at, long order, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(at, other.at);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  /** One message in so many; 0 for none. */
  record Quality(int lost, int twice, int overtaken) {}

  final SplittableRandom random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final long[][] lastArrival = new long[NODES][NODES];
  private final boolean[][] cut = new boolean[NODES][NODES];
  private Quality quality = new Quality(0, 0, 0);
  private long now;
  private long order;

  Network(long seed) {
    random = new SplittableRandom(seed);
  }

  long now() {
    return now;
  }

  void quality(Quality next) {
    quality = next;
  }

  /** True once in so many; never for 0. */
  boolean oneIn(int count) {
    return count > 0 && random.nextInt(count) == 0;
  }

  void after(long nanos, Runnable action) {
    events.add(new Event(now + nanos, order++, action));
  }

  /** Delivers after a random delay, unless the message is lost or the link is cut then. */
  void send(int from, int to, Runnable delivery) {
    if (oneIn(quality.lost())) {
      return;
    }
    deliver(from, to, delivery);
    if (oneIn(quality.twice())) {
      deliver(from, to, delivery);
    }
  }

  private void deliver(int from, int to, Runnable delivery) {
    long arrival = now + 50_000 + random.nextLong(random.nextInt(50) == 0 ? 40 * MILLI : 2 * MILLI);
    if (oneIn(quality.overtaken())) {
      arrival += random.nextLong(30 * MILLI);
    } else {
      arrival = Math.max(arrival, lastArrival[from][to] + 1);
      lastArrival[from][to] = arrival;
    }
    after(
        arrival - now,
        () -> {
          if (!cut[from][to]) {
            delivery.run();
          }
        });
  }

  void cut(int from, int to) {
    cut[from][to] = from != to;
  }

  void heal() {
    for (boolean[] row : cut) {
      java.util.Arrays.fill(row, false);
    }
  }

  /** Runs events until the time. */
  void runUntil(long time) {
    while (!events.isEmpty() && events.peek().at() <= time) {
      Event event = events.poll();
      now = event.at();
      event.action().run();
    }
    now = Math.max(now, time);
  }
}
