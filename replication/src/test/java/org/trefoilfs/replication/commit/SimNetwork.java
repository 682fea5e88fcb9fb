package org.trefoilfs.replication.commit;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;

/**
 * Simulated time and links: seeded, single-threaded. Per link and direction messages keep their
 * order, as on TCP.
 */
final class SimNetwork {
  private record Event(long at, long order, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(at, other.at);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  private record Link(int from, int to) {}

  final Random random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final Map<Link, Long> lastArrival = new HashMap<>();
  private final Set<Link> cut = new HashSet<>();
  private long now;
  private long order;

  SimNetwork(long seed) {
    random = new Random(seed);
  }

  long now() {
    return now;
  }

  void after(long nanos, Runnable action) {
    events.add(new Event(now + nanos, order++, action));
  }

  /** Delivers after a random delay, unless the link is cut then. */
  void send(int from, int to, Runnable delivery) {
    Link link = new Link(from, to);
    long arrival = now + 50_000 + random.nextInt(random.nextInt(50) == 0 ? 40_000_000 : 2_000_000);
    arrival = Math.max(arrival, lastArrival.getOrDefault(link, 0L) + 1);
    lastArrival.put(link, arrival);
    after(
        arrival - now,
        () -> {
          if (!cut.contains(link)) {
            delivery.run();
          }
        });
  }

  void cut(int a, int b) {
    cut.add(new Link(a, b));
    cut.add(new Link(b, a));
  }

  void cutOneWay(int from, int to) {
    cut.add(new Link(from, to));
  }

  void heal() {
    cut.clear();
  }

  boolean isCut(int from, int to) {
    return cut.contains(new Link(from, to));
  }

  /** Runs events until the time, or until there are none. */
  void runUntil(long time) {
    while (!events.isEmpty() && events.peek().at() <= time) {
      Event event = events.poll();
      now = event.at();
      event.action().run();
    }
    now = Math.max(now, time);
  }
}
