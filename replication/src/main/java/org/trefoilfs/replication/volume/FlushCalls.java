package org.trefoilfs.replication.volume;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * Flushes at the primaries of groups. One takes as long as the disks take, so it has the whole time
 * of the call; that of a primary which is no longer one would use it up for nothing, so those under
 * way are looked after now and then.
 */
final class FlushCalls {
  /** How often it is looked whether the primaries of flushes under way still are. */
  private static final Duration WATCH = Duration.ofMillis(100);

  private final ReplicatedVolume.Cluster cluster;
  private final Map<HostId, SharedFlushes> atPrimaries = new ConcurrentHashMap<>();
  private final Map<CompletableFuture<Void>, Collection<PgView>> underWay =
      new ConcurrentHashMap<>();
  private final AtomicBoolean watching = new AtomicBoolean();

  FlushCalls(ReplicatedVolume.Cluster cluster) {
    this.cluster = cluster;
  }

  /** Makes stable what was committed in these groups; STALE_VIEW when one of them moves on. */
  CompletableFuture<Void> flush(Collection<PgView> views) {
    Map<HostId, Map<Integer, Long>> byPrimary = new HashMap<>();
    for (PgView view : views) {
      byPrimary
          .computeIfAbsent(ReplicatedVolume.primary(view), _ -> new HashMap<>())
          .put(view.pg(), view.view());
    }
    List<CompletableFuture<?>> parts = new ArrayList<>();
    byPrimary.forEach((host, viewOfGroup) -> parts.add(at(host).flush(viewOfGroup)));
    CompletableFuture<Void> flushed = ReplicatedVolume.allOf(parts);
    if (!flushed.isDone()) {
      underWay.put(flushed, views);
      flushed.whenComplete((_, _) -> underWay.remove(flushed));
      watch();
    }
    return flushed;
  }

  private SharedFlushes at(HostId primary) {
    return atPrimaries.computeIfAbsent(
        primary,
        host ->
            new SharedFlushes(
                groups -> cluster.call(host, new Message.Flush(groups), cluster.timeout())));
  }

  private void watch() {
    if (!underWay.isEmpty() && watching.compareAndSet(false, true)) {
      var unused =
          cluster
              .pause(WATCH)
              .whenComplete(
                  (_, _) -> {
                    underWay.forEach(this::endWhenStale);
                    watching.set(false);
                    watch();
                  });
    }
  }

  private void endWhenStale(CompletableFuture<Void> flush, Collection<PgView> views) {
    if (!views.stream().allMatch(this::isCurrent)) {
      flush.completeExceptionally(
          new TrefoilException(Reason.STALE_VIEW, "a group changed its view during the flush"));
    }
  }

  private boolean isCurrent(PgView view) {
    return cluster
        .placement()
        .group(view.pg())
        .filter(now -> now.view() == view.view())
        .isPresent();
  }
}
