package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads and writes of one block by several clients at once, each write with a value of its own: is
 * there an order of them, each between its begin and its end, in which every read returns what was
 * written last? By Gibbons and Korach, "Testing Shared Memories" (1997): a write and the reads of
 * its value span a zone from the first end to the last begin; the history is linearizable if no
 * read ends before its write begins, no two forward zones overlap, and no forward zone holds a
 * backward one.
 */
final class BlockHistory {
  static final long NEVER = Long.MAX_VALUE;

  /** The write of a value and its reads. */
  private static final class Cluster {
    final long value;
    long begun;
    long firstEnd;
    long lastBegin;
    boolean read;
    boolean acknowledged;

    Cluster(long value, long begun, long end) {
      this.value = value;
      this.begun = begun;
      firstEnd = end;
      lastBegin = begun;
    }

    boolean isForward() {
      return firstEnd < lastBegin;
    }

    long from() {
      return Math.min(firstEnd, lastBegin);
    }

    long to() {
      return Math.max(firstEnd, lastBegin);
    }
  }

  private final Map<Long, Cluster> clusters = new HashMap<>();

  BlockHistory() {
    clusters.put(0L, new Cluster(0, -2, -1));
    clusters.get(0L).acknowledged = true;
  }

  void begins(long value, long now) {
    clusters.put(value, new Cluster(value, now, NEVER));
  }

  void written(long value, long now) {
    Cluster cluster = clusters.get(value);
    cluster.firstEnd = Math.min(cluster.firstEnd, now);
    cluster.acknowledged = true;
  }

  void read(long value, long begun, long now) {
    Cluster cluster = clusters.get(value);
    Violation.unless(
        cluster != null && cluster.begun <= now, "%s was read, but never written", value);
    cluster.firstEnd = Math.min(cluster.firstEnd, now);
    cluster.lastBegin = Math.max(cluster.lastBegin, begun);
    cluster.read = true;
  }

  /** What was written before may be lost: one of these values is what the block holds now. */
  void mayBeLost(long now) {
    for (Cluster cluster : clusters.values()) {
      cluster.read = false;
      cluster.lastBegin = cluster.begun;
      if (cluster.acknowledged) {
        // Whichever of them survives was written before all that follows.
        cluster.firstEnd = now;
        cluster.begun = now - 1;
        cluster.lastBegin = now - 1;
      } else {
        cluster.firstEnd = NEVER; // its writer goes on trying
      }
    }
  }

  /** Throws a violation when there is no such order. */
  void check(String block) {
    List<Cluster> zones = new ArrayList<>();
    for (Cluster cluster : clusters.values()) {
      if (cluster.read || cluster.firstEnd != NEVER) {
        zones.add(cluster);
      }
    }
    zones.sort(Comparator.comparingLong(Cluster::from));
    Cluster forward = null;
    for (Cluster zone : zones) {
      if (zone.isForward()) {
        boolean apart = forward == null || zone.from() >= forward.to();
        Violation.unless(apart, overlap(block, forward, zone));
        forward = zone;
      } else if (forward != null) {
        Violation.unless(zone.to() >= forward.to(), overlap(block, forward, zone));
      }
    }
  }

  private static String overlap(String block, Cluster forward, Cluster zone) {
    return forward == null
        ? block
        : "%s: value %d was read or written from %.3f to %.3f ms, and value %d meanwhile, from %.3f to %.3f"
            .formatted(
                block,
                forward.value,
                forward.from() / 1e6,
                forward.to() / 1e6,
                zone.value,
                zone.from() / 1e6,
                zone.to() / 1e6);
  }
}
