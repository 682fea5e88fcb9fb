package org.trefoilfs.replication.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.StoreCheck;
import org.trefoilfs.replication.placement.PgView;

/** Reads and checks every chunk of a running host. */
public final class Fsck {
  /** Sentences kept of a badly damaged store; the count goes on. */
  private static final int MAX_SENTENCES = 1000;

  private Fsck() {}

  /**
   * @param digest of all chunks in groups in which this host is in sync: equal on hosts that hold
   *     the same groups
   * @param damage a sentence for each damaged chunk
   */
  public record Report(
      long groups,
      long chunks,
      long bytes,
      long damaged,
      long digest,
      Map<Integer, Long> digestOfGroup,
      List<String> damage) {}

  static Report run(ChunkStore store, Applier applier, Slots slots) {
    Map<Integer, Long> digests = new TreeMap<>();
    List<String> damage = new ArrayList<>();
    long chunks = 0;
    long bytes = 0;
    long damaged = 0;
    for (int pg : store.groups()) {
      PgView view = slots.of(pg).group.currentView();
      if (view == null || !slots.of(pg).group.hasRole()) {
        continue;
      }
      List<ChunkInfo> listing = store.list(pg);
      if (listing.isEmpty()) {
        continue; // the directory of a group outlives its last chunk
      }
      long digest = 0;
      for (ChunkInfo listed : listing) {
        chunks++;
        try {
          Optional<ChunkImage> image = applier.image(pg, listed.id(), BlockSet.all());
          bytes += image.map(ChunkImage::bytes).orElse(0L);
          digest += store.info(pg, listed.id()).map(StoreCheck::digestOf).orElse(0L);
        } catch (TrefoilException e) {
          damaged++;
          if (damage.size() < MAX_SENTENCES) {
            damage.add(e.getMessage());
          }
        }
      }
      digests.put(pg, digest);
    }
    long total = digests.values().stream().mapToLong(Long::longValue).sum();
    return new Report(digests.size(), chunks, bytes, damaged, total, digests, damage);
  }
}
