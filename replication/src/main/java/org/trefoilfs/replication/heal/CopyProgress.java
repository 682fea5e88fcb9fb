package org.trefoilfs.replication.heal;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.transport.Message;

/**
 * How far a host has come in catching up, over all its groups: from when it is a joiner of some
 * until it is one of none. What came of it is kept until the next time. Thread-safe; waits for
 * nobody, and has no clock of its own.
 */
public final class CopyProgress {
  private final Map<Integer, CatchUp> underWay = new HashMap<>();
  private final Set<Integer> joined = new HashSet<>();
  private Set<Integer> joining = Set.of();
  private long begunAt;
  private long endedAt;
  private long copied;

  /** Of catch-ups that are over, or were begun anew: what they had found, less what they left. */
  private long changedBefore;

  private RecentRate rate;

  public CopyProgress(long nowNanos) {
    begunAt = nowNanos;
    endedAt = nowNanos;
    rate = new RecentRate(nowNanos);
  }

  /** The groups in which the host is a joiner now. */
  public synchronized void joining(Set<Integer> groups, long nowNanos) {
    if (joining.isEmpty() && !groups.isEmpty()) {
      begin(nowNanos);
    } else if (!joining.isEmpty() && groups.isEmpty()) {
      endedAt = nowNanos;
    }
    joining = groups;
    joined.addAll(groups);
    Set<Integer> over = new HashSet<>(underWay.keySet());
    over.removeAll(groups);
    over.forEach(pg -> close(underWay.remove(pg)));
  }

  private void begin(long nowNanos) {
    underWay.clear();
    joined.clear();
    begunAt = nowNanos;
    copied = 0;
    changedBefore = 0;
    rate = new RecentRate(nowNanos);
  }

  /** A group's catch-up begins, perhaps anew. */
  public synchronized void started(int pg, CatchUp catchUp) {
    close(underWay.put(pg, catchUp));
  }

  private void close(@Nullable CatchUp former) {
    if (former != null) {
      changedBefore += former.bytesChanged() - former.bytesLeft();
    }
  }

  public synchronized void copied(long bytes, long nowNanos) {
    copied += bytes;
    rate.note(bytes, nowNanos);
  }

  public synchronized Message.CatchUp report(long nowNanos) {
    long left = 0;
    long changed = changedBefore;
    int listed = 0;
    for (CatchUp each : underWay.values()) {
      left += each.bytesLeft();
      changed += each.bytesChanged();
      listed += each.isListed() ? 1 : 0;
    }
    long until = joining.isEmpty() ? endedAt : nowNanos;
    return new Message.CatchUp(
        new Message.CatchUp.Groups(
            joining.size(), Math.max(0, joining.size() - listed), joined.size()),
        new Message.CatchUp.Bytes(left, copied, changed),
        joining.isEmpty() ? 0 : rate.perSecond(nowNanos),
        TimeUnit.NANOSECONDS.toMillis(until - begunAt));
  }
}
