package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** Replaces damaged chunks of this host by those of other replicas. */
final class Healing {
  private static final Logger log = LoggerFactory.getLogger(Healing.class);

  /** Rounds through the other replicas for a damaged chunk: one may lag by a moment. */
  private static final int ROUNDS = 10;

  private static final long PAUSE_NANOS = 20_000_000L;

  private final Slots slots;
  private final GroupNode node;
  private final AtomicLong healed = new AtomicLong();

  Healing(Slots slots, GroupNode node) {
    this.slots = slots;
    this.node = node;
  }

  /** Chunks restored from other replicas since the start. */
  long healed() {
    return healed.get();
  }

  /**
   * Fetches the chunk from another in-sync member and replaces ours. Throws the damage when nobody
   * has better.
   */
  void heal(int pg, ChunkId chunk, TrefoilException damage) {
    log.error("damaged chunk, fetching it from another replica: {}", damage.getMessage());
    PgView view = node.view().placement().group(pg).orElse(null);
    List<HostId> others =
        view == null
            ? List.of()
            : view.inSync().stream()
                .map(PgView.Member::host)
                .filter(h -> !h.equals(node.self()))
                .toList();
    for (int round = 0; round < ROUNDS && !others.isEmpty(); round++) {
      for (HostId other : others) {
        if (healFrom(other, pg, chunk)) {
          return;
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    throw damage;
  }

  private boolean healFrom(HostId other, int pg, ChunkId chunk) {
    try {
      Message answer =
          node.peers()
              .call(other, new Message.FetchChunk(pg, chunk), Duration.ofSeconds(10))
              .join();
      if (answer instanceof Message.Chunk(ChunkImage image) && install(pg, image)) {
        healed.incrementAndGet();
        log.warn("chunk {} of group {} was restored from {}", chunk, pg, other);
        node.applier().retry(chunk);
        return true;
      }
    } catch (RuntimeException e) {
      log.warn("{} could not give chunk {}: {}", other, chunk, TrefoilException.of(e).getMessage());
    }
    return false;
  }

  private boolean install(int pg, ChunkImage image) {
    Slot slot = slots.of(pg);
    CompletableFuture<Boolean> installed;
    synchronized (slot) {
      slots.journalCommitted(pg);
      installed = node.applier().install(pg, image);
    }
    return installed.join();
  }

  /** The applier met a damaged block under a partial write. */
  void damaged(int pg, ChunkId chunk, TrefoilException why) {
    Thread.startVirtualThread(
        () -> {
          try {
            heal(pg, chunk, why);
          } catch (TrefoilException e) {
            log.error(
                "chunk {} of group {} stays damaged: no other replica could give it", chunk, pg);
          }
        });
  }
}
