package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.volume.Volume;

/**
 * Gives back the space of files that have neither a name nor a holder. Has no thread or clock: the
 * leader's shell calls it now and then. Chunks go before rows, so that a step that was cut off is
 * repeated whole and nothing is left behind.
 */
public final class Reclaimer {
  /** Orphans per step: what one step asks of the replicas at once stays small. */
  public static final int BATCH = 64;

  /** Rows per step of reaping: its command is applied in about a millisecond. */
  private static final int REAPED = 256;

  private static final Logger LOG = LoggerFactory.getLogger(Reclaimer.class);

  private final StateLog log;
  private final LongSupplier minimumCursor;
  private final IntFunction<@Nullable Volume> volumes;
  private final AtomicReference<@Nullable CompletableFuture<Integer>> running =
      new AtomicReference<>();

  /** Where the next step looks on, so that orphans whose chunks cannot go do not hold up others. */
  private volatile long position;

  /**
   * @param minimumCursor the least orphan cursor ({@link Names.Orphans#cursor}) that a live session
   *     has reported, having pinned what it holds; {@code Long.MAX_VALUE} when there is no session
   * @param volumes the chunks of a volume by its id, deleted ones included; null when it cannot be
   *     reached now
   */
  public Reclaimer(
      StateLog log, LongSupplier minimumCursor, IntFunction<@Nullable Volume> volumes) {
    this.log = log;
    this.minimumCursor = minimumCursor;
    this.volumes = volumes;
  }

  /**
   * Removes up to {@link #BATCH} orphans; one step at a time, a call during a step joins it.
   *
   * @return how many are gone. Fails as {@link StateLog#submit} does. An orphan whose chunks could
   *     not be deleted stays for a later round and fails nothing
   */
  public CompletableFuture<Integer> runOnce() {
    CompletableFuture<Integer> mine = new CompletableFuture<>();
    CompletableFuture<Integer> other = running.compareAndExchange(null, mine);
    if (other != null) {
      return other;
    }
    return guarded(this::step)
        .whenComplete(
            (count, failure) -> {
              running.set(null);
              if (failure == null) {
                mine.complete(count);
              } else {
                mine.completeExceptionally(failure);
              }
            });
  }

  /**
   * Takes a deleted volume's tree apart by one step; {@link #runOnce} then frees its files.
   *
   * @return whether the volume is wholly gone, chunks and all; until then call again
   */
  public CompletableFuture<Boolean> reap(int volume) {
    return log.submit(NamespaceModule.ID, new Command.ReapVolume(volume, REAPED).toBytes())
        .thenApply(reply -> ((Reply.Reaped) Reply.of(reply)).left() == 0);
  }

  private CompletableFuture<Integer> step() {
    Query query = new Query.Reclaimable(position, minimumCursor.getAsLong(), BATCH);
    return log.query(NamespaceModule.ID, query.toBytes())
        .thenCompose(
            reply -> {
              Reply.Reclaimable found = (Reply.Reclaimable) Reply.of(reply);
              position = found.next();
              return deleteChunks(found.orphans());
            })
        .thenCompose(this::reclaim);
  }

  /** The sequence numbers of those whose chunks are gone. */
  private CompletableFuture<List<Long>> deleteChunks(List<Orphan> orphans) {
    List<CompletableFuture<Boolean>> deletions = orphans.stream().map(this::delete).toList();
    return CompletableFuture.allOf(deletions.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            all -> {
              List<Long> gone = new ArrayList<>();
              for (int i = 0; i < orphans.size(); i++) {
                if (deletions.get(i).join()) {
                  gone.add(orphans.get(i).sequence());
                }
              }
              return gone;
            });
  }

  private CompletableFuture<Boolean> delete(Orphan orphan) {
    if (orphan.size() == 0) {
      return CompletableFuture.completedFuture(true);
    }
    Volume volume = volumes.apply(orphan.volume());
    if (volume == null) {
      return CompletableFuture.completedFuture(false);
    }
    return guarded(() -> volume.delete(orphan.inode(), orphan.size()))
        .handle(
            (done, failure) -> {
              if (failure != null) {
                LOG.warn(
                    "chunks of inode {} of volume {} could not be deleted, will try again: {}",
                    orphan.inode(),
                    orphan.volume(),
                    failure.toString());
              }
              return failure == null;
            });
  }

  private CompletableFuture<Integer> reclaim(List<Long> orphans) {
    if (orphans.isEmpty()) {
      return CompletableFuture.completedFuture(0);
    }
    return log.submit(NamespaceModule.ID, new Command.Reclaim(orphans).toBytes())
        .thenApply(reply -> ((Reply.Reclaimed) Reply.of(reply)).count());
  }

  /** A failure to start is a failed future too, so that no step stays "running" for ever. */
  private static <T> CompletableFuture<T> guarded(Supplier<CompletableFuture<T>> start) {
    return CompletableFuture.completedFuture(start).thenCompose(Supplier::get);
  }
}
