package org.trefoilfs.replication.host;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.trefoilfs.replication.commit.GroupPorts;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;

/**
 * Whether the members of a group have room for a write. Reports of free space are old by some
 * heartbeats; what this primary has let in meanwhile is counted against them, and as much again for
 * each other member, which is likely to be primary of as many groups. So a disk is filled in ever
 * smaller steps, each after a new report, and never beyond its reserve. Thread-safe.
 */
final class Admission {
  /** What is let in is noted in buckets of this length. */
  private static final long BUCKET_NANOS = 250_000_000L;

  /** By then every report knows of a write: a heartbeat to the leader, and one back, twice over. */
  private static final int BUCKETS = 4;

  private final TimeSource time;
  private final ToLongFunction<HostId> usable;
  private final Map<HostId, long[]> admitted = new HashMap<>();
  private long newestBucket;

  /**
   * @param usable bytes that a host last reported to be free, its reserve left out
   */
  Admission(TimeSource time, ToLongFunction<HostId> usable) {
    this.time = time;
    this.usable = usable;
  }

  /** Judges a write of so many bytes, and notes it when it is admitted. */
  synchronized GroupPorts.Room judge(Collection<PgView.Member> members, long bytes) {
    turn();
    GroupPorts.Room room = GroupPorts.Room.ENOUGH;
    for (PgView.Member member : members) {
      long left = usable.applyAsLong(member.host()) - HostLimits.SPACE_MARGIN_BYTES - bytes;
      if (left <= 0) {
        return GroupPorts.Room.FULL;
      }
      if (left <= lately(member.host()) * members.size()) {
        room = GroupPorts.Room.UNCERTAIN;
      }
    }
    if (room == GroupPorts.Room.ENOUGH) {
      members.forEach(member -> note(member.host(), bytes));
    }
    return room;
  }

  private long lately(HostId host) {
    long sum = 0;
    for (long bucket : admitted.getOrDefault(host, new long[0])) {
      sum += bucket;
    }
    return sum;
  }

  private void note(HostId host, long bytes) {
    long[] buckets = admitted.computeIfAbsent(host, _ -> new long[BUCKETS]);
    buckets[Math.floorMod(newestBucket, BUCKETS)] += bytes;
  }

  /** Empties the buckets that have come round again. */
  private void turn() {
    long now = time.nanoTime() / BUCKET_NANOS;
    long passed = Math.min(now - newestBucket, BUCKETS);
    for (long[] buckets : admitted.values()) {
      for (long bucket = now - passed + 1; bucket <= now; bucket++) {
        buckets[Math.floorMod(bucket, BUCKETS)] = 0;
      }
    }
    newestBucket = now;
  }
}
