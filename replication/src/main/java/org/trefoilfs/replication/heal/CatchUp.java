package org.trefoilfs.replication.heal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.commit.Entry;

/**
 * What a joiner of one group still has to copy, while live writes come in. Pure; the caller
 * serializes calls.
 *
 * <p>The joiner compares its chunks with the primary's listing: equal number of last write and
 * equal digest is an equal chunk, whatever else is fetched whole. A live write to a chunk that is
 * not settled is dropped when the chunk is yet to be fetched (the image will hold it), kept aside
 * while it is being fetched (the image may or may not hold it; its version tells), and applied when
 * the chunk is settled.
 */
public final class CatchUp {
  private final Set<ChunkId> settled = new HashSet<>();
  private final TreeSet<ChunkId> toFetch = new TreeSet<>();
  private final Map<ChunkId, List<Entry>> fetching = new HashMap<>();
  private final Map<ChunkId, ChunkInfo> local = new HashMap<>();
  private final Map<ChunkId, Long> bytesToFetch = new HashMap<>();
  private boolean listed;
  private long bytesDone;

  /**
   * @param local the chunks that the joiner's store holds
   */
  public CatchUp(List<ChunkInfo> local) {
    local.forEach(info -> this.local.put(info.id(), info));
  }

  /** Takes a page of the primary's listing. */
  public void listing(List<ChunkInfo> page) {
    for (ChunkInfo theirs : page) {
      ChunkInfo ours = local.remove(theirs.id());
      boolean equal =
          ours != null
              && ours.version().n() == theirs.version().n()
              && ours.digest() == theirs.digest();
      if (equal && !toFetch.contains(theirs.id())) {
        settled.add(theirs.id());
      } else {
        toFetch.add(theirs.id());
        bytesToFetch.put(theirs.id(), (long) theirs.blocks() * ChunkId.BLOCK);
      }
    }
  }

  /**
   * The listing is complete: a chunk that it does not name, and that live writes create from now
   * on, is new.
   *
   * @return chunks of this store that the primary does not have, to be removed
   */
  public List<ChunkId> listed() {
    listed = true;
    List<ChunkId> gone = new ArrayList<>(local.keySet());
    gone.removeAll(toFetch);
    local.clear();
    settled.addAll(gone);
    return gone;
  }

  /** The next chunk to fetch, if one is waiting. */
  public Optional<ChunkId> startFetch() {
    ChunkId next = toFetch.pollFirst();
    if (next != null) {
      fetching.put(next, new ArrayList<>());
    }
    return Optional.ofNullable(next);
  }

  /**
   * The image has been installed.
   *
   * @return live writes that it does not hold, in order, to be applied
   */
  public List<Entry> fetched(ChunkImage image) {
    List<Entry> kept = fetching.remove(image.id());
    bytesDone += image.bytes();
    bytesToFetch.remove(image.id());
    settled.add(image.id());
    return kept == null
        ? List.of()
        : kept.stream().filter(entry -> entry.n() > image.version().n()).toList();
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
    if (listed && !toFetch.contains(chunk)) {
      settled.add(chunk);
      return true;
    }
    toFetch.add(chunk);
    return false;
  }

  /** Nothing is left to copy; every live write is admitted from here on. */
  public boolean isComplete() {
    return listed && toFetch.isEmpty() && fetching.isEmpty();
  }

  public long bytesDone() {
    return bytesDone;
  }

  /** Bytes that are known to be left: grows while the listing comes in. */
  public long bytesLeft() {
    return bytesToFetch.values().stream().mapToLong(Long::longValue).sum();
  }
}
