package org.trefoilfs.replication.heal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;

/**
 * What a joiner of one group still has to copy, while live writes come in. Pure; the caller
 * serializes calls, but for the last three methods.
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
  /** Of every chunk that comes whole: there may be hundreds of thousands. Never changed. */
  private static final BlockSet WHOLE = BlockSet.all();

  private final Set<ChunkId> settled = new HashSet<>();
  private final TreeMap<ChunkId, BlockSet> wanted = new TreeMap<>();
  private final Map<ChunkId, List<Entry>> fetching = new HashMap<>();
  private final Map<ChunkId, ChunkInfo> local = new HashMap<>();

  /** Of what is wanted or being fetched: how much that is, as far as known. */
  private final Map<ChunkId, Long> bytesOf = new HashMap<>();

  /** The blocks that {@link #bytesOf} counts; none of a chunk whose size the listing has told. */
  private final Map<ChunkId, BlockSet> counted = new HashMap<>();

  private final AtomicLong asideBytes = new AtomicLong();
  private final AtomicLong bytesLeft = new AtomicLong();
  private final AtomicLong bytesChanged = new AtomicLong();
  private volatile boolean listed;
  private long since;

  /** Blocks to be fetched of a chunk. */
  public record Wanted(ChunkId chunk, BlockSet blocks) {}

  // ---- what is to be copied

  /** Blocks of a chunk that differ, or may. To be called for each, then {@link #listed}. */
  public void changed(ChunkId chunk, BlockSet blocks) {
    want(chunk, blocks, blocks);
  }

  /**
   * The same of a chunk that is not here, or not to be used: it comes whole.
   *
   * @param blocks that are known to have been written, for the count of bytes alone
   */
  public void missing(ChunkId chunk, BlockSet blocks) {
    want(chunk, WHOLE, blocks);
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
        wanted.put(theirs.id(), WHOLE);
        counted.remove(theirs.id());
        expect(theirs.id(), (long) theirs.blocks() * ChunkId.BLOCK);
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
    wanted.replaceAll((_, _) -> WHOLE);
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

  /** These blocks are to be fetched as well; those that were written are counted. */
  private void want(ChunkId chunk, BlockSet blocks, BlockSet written) {
    settled.remove(chunk);
    wanted.put(chunk, union(wanted.getOrDefault(chunk, BlockSet.none()), blocks));
    if (counted.containsKey(chunk) || !bytesOf.containsKey(chunk)) {
      BlockSet all = counted.computeIfAbsent(chunk, _ -> BlockSet.none());
      all.add(written);
      expect(chunk, all.bytes());
    }
  }

  private static BlockSet union(BlockSet known, BlockSet more) {
    if (known.isAll() || more.isAll()) {
      return WHOLE;
    }
    known.add(more);
    return known;
  }

  private void expect(ChunkId chunk, long bytes) {
    Long before = bytesOf.put(chunk, bytes);
    long more = before == null ? bytes : bytes - before;
    bytesLeft.addAndGet(more);
    bytesChanged.addAndGet(more);
  }

  // ---- copying

  /** Bytes of the next blocks to fetch, as far as known; empty if none are waiting. */
  public OptionalLong nextBytes() {
    return wanted.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(bytesOf.getOrDefault(wanted.firstKey(), 0L));
  }

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
    for (Entry entry : aside) {
      more.add(BlockSet.of(entry.mutation()));
      asideBytes.addAndGet(-entry.mutation().bytes());
    }
    if (!blocks.containsAll(more)) {
      BlockSet all = more.copy();
      all.add(blocks);
      want(image.id(), all, more);
      return Optional.empty();
    }
    counted.remove(image.id());
    Long expected = bytesOf.remove(image.id());
    bytesLeft.addAndGet(expected == null ? 0 : -expected);
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
      asideBytes.addAndGet(entry.mutation().bytes());
      return false;
    }
    if (settled.contains(chunk)) {
      return true;
    }
    if (listed && !wanted.containsKey(chunk)) {
      settled.add(chunk);
      return true;
    }
    BlockSet blocks = BlockSet.of(entry.mutation());
    want(chunk, blocks, blocks);
    return false;
  }

  /** Nothing is left to copy; every live write is admitted from here on. */
  public boolean isComplete() {
    return listed && wanted.isEmpty() && fetching.isEmpty();
  }

  // ---- to be asked at any time

  /** Whether all is known that is to be copied, but for what live writes add. */
  public boolean isListed() {
    return listed;
  }

  /** Bytes of the live writes that are kept aside. */
  public long asideBytes() {
    return asideBytes.get();
  }

  /** Bytes that are known to be left: grows while the listing comes in. */
  public long bytesLeft() {
    return bytesLeft.get();
  }

  /**
   * Bytes of all the blocks that were found to be different, or written lately: copied, or left.
   */
  public long bytesChanged() {
    return bytesChanged.get();
  }
}
