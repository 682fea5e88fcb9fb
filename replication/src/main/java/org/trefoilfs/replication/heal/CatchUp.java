package org.trefoilfs.replication.heal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;

/**
 * What a joiner of one group still has to copy, while live writes come in. Pure; the caller
 * serializes calls.
 *
 * <p>Either the primary says which blocks were written since the joiner was in sync ({@link
 * #changed}): only they are fetched. Or the joiner compares its chunks with the primary's {@link
 * #listing}: equal number of last write and equal digest is an equal chunk, whatever else is
 * fetched whole.
 *
 * <p>A live write to a chunk that is not settled is dropped when the chunk is yet to be fetched
 * (its blocks are fetched as well), kept aside while it is being fetched (the image may or may not
 * hold it; its version tells), and applied when the chunk is settled.
 */
public final class CatchUp {
  private final Set<ChunkId> settled = new HashSet<>();
  private final TreeMap<ChunkId, BlockSet> wanted = new TreeMap<>();
  private final Map<ChunkId, List<Entry>> fetching = new HashMap<>();
  private final Map<ChunkId, ChunkInfo> local = new HashMap<>();
  private final Map<ChunkId, Long> bytesOf = new HashMap<>();
  private boolean listed;
  private long since;
  private long bytesDone;

  /** Blocks to be fetched of a chunk. */
  public record Wanted(ChunkId chunk, BlockSet blocks) {}

  // ---- what is to be copied

  /** Blocks of a chunk that differ, or may. To be called for each, then {@link #listed}. */
  public void changed(ChunkId chunk, BlockSet blocks) {
    want(chunk, blocks);
  }

  /**
   * Everything is to be compared with the primary's listing.
   *
   * @param present the chunks that the joiner's store holds
   * @param unsettled chunks of which committed writes are not in the store: whatever it holds of
   *     them, they are fetched, or removed
   */
  public void compareAll(List<ChunkInfo> present, Set<ChunkId> unsettled) {
    present.forEach(info -> local.put(info.id(), info));
    unsettled.forEach(chunk -> local.put(chunk, new ChunkInfo(chunk, Version.NONE, 0, 0)));
  }

  /** Takes a page of the primary's listing. */
  public void listing(List<ChunkInfo> page) {
    for (ChunkInfo theirs : page) {
      ChunkInfo ours = local.remove(theirs.id());
      boolean equal =
          ours != null
              && ours.version().n() > 0
              && ours.version().n() == theirs.version().n()
              && ours.digest() == theirs.digest();
      if (equal && !wanted.containsKey(theirs.id())) {
        settled.add(theirs.id());
      } else {
        wanted.put(theirs.id(), BlockSet.all());
        bytesOf.put(theirs.id(), (long) theirs.blocks() * ChunkId.BLOCK);
      }
    }
  }

  /**
   * The listing is complete: a chunk that it does not name, and that live writes create from now
   * on, is new.
   *
   * @return chunks of this store that the primary does not have, to be removed
   */
  public List<ChunkId> listingEnded() {
    // What live writes alone named is not known to be equal in its other blocks.
    wanted.replaceAll((_, _) -> BlockSet.all());
    List<ChunkId> gone = new ArrayList<>(local.keySet());
    gone.removeAll(wanted.keySet());
    local.clear();
    settled.addAll(gone);
    listed = true;
    return gone;
  }

  /**
   * Nothing beyond what was said, and what live writes say, is to be copied: up to number {@code
   * since} the joiner's chunks are the primary's.
   */
  public void listed(long upTo) {
    since = upTo;
    listed = true;
  }

  /** See {@link #listed}. */
  public long since() {
    return since;
  }

  private void want(ChunkId chunk, BlockSet blocks) {
    wanted
        .computeIfAbsent(
            chunk,
            _ -> {
              settled.remove(chunk);
              return BlockSet.none();
            })
        .add(blocks);
    bytesOf.put(chunk, wanted.get(chunk).bytes());
  }

  // ---- copying

  /** The next blocks to fetch, if some are waiting. */
  public Optional<Wanted> startFetch() {
    Map.Entry<ChunkId, BlockSet> next = wanted.pollFirstEntry();
    if (next == null) {
      return Optional.empty();
    }
    fetching.put(next.getKey(), new ArrayList<>());
    return Optional.of(new Wanted(next.getKey(), next.getValue()));
  }

  /**
   * The image has come, and is to be installed.
   *
   * @param blocks that it has: all that were wanted, and all that were written since
   * @return live writes that it does not hold, in order, to be applied with it, all of them to
   *     blocks that were fetched; empty when the image is not to be installed: the chunk was
   *     written elsewhere meanwhile, and is fetched again with those blocks
   */
  public Optional<List<Entry>> fetched(ChunkImage image, BlockSet blocks) {
    List<Entry> aside = fetching.remove(image.id());
    if (aside == null) {
      return Optional.empty();
    }
    BlockSet more = BlockSet.none();
    aside.forEach(entry -> more.add(BlockSet.of(entry.mutation())));
    if (!blocks.containsAll(more)) {
      more.add(blocks);
      want(image.id(), more);
      return Optional.empty();
    }
    bytesDone += image.bytes();
    bytesOf.remove(image.id());
    settled.add(image.id());
    return Optional.of(aside.stream().filter(entry -> entry.n() > image.version().n()).toList());
  }

  /**
   * Whether a committed live write is to be applied now; if not, its chunk's image will bring it.
   */
  public boolean admits(Entry entry) {
    ChunkId chunk = entry.mutation().chunk();
    List<Entry> aside = fetching.get(chunk);
    if (aside != null) {
      aside.add(entry);
      return false;
    }
    if (settled.contains(chunk)) {
      return true;
    }
    if (listed && !wanted.containsKey(chunk)) {
      settled.add(chunk);
      return true;
    }
    want(chunk, BlockSet.of(entry.mutation()));
    return false;
  }

  /** Nothing is left to copy; every live write is admitted from here on. */
  public boolean isComplete() {
    return listed && wanted.isEmpty() && fetching.isEmpty();
  }

  public long bytesDone() {
    return bytesDone;
  }

  /** Bytes that are known to be left: grows while the listing comes in. */
  public long bytesLeft() {
    return bytesOf.values().stream().mapToLong(Long::longValue).sum();
  }
}
