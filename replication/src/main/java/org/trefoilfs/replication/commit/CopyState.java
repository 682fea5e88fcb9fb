package org.trefoilfs.replication.commit;

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
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalRecord;

/**
 * What a host's chunks of one group hold of what was committed: everything, or everything up to a
 * base and some of what came later, while a catch-up is under way. It survives a restart, so that
 * an interrupted catch-up goes on from the same base. Written through the journal, like the log
 * that it belongs to.
 */
public final class CopyState {
  private boolean complete = true;
  private Optional<Version> base = Optional.empty();

  /**
   * By view, the highest number of what was copied from others: it may be of a history that ended
   * when they lost their unsynced tails.
   */
  private final TreeMap<Long, Long> copied = new TreeMap<>();

  /** Chunks copied since the base, and since the log last began anew. */
  private final Set<ChunkId> chunks = new HashSet<>();

  /** Chunks copied since the base, before the log began anew: they hold nothing after that. */
  private final Set<ChunkId> earlier = new HashSet<>();

  /** See {@link #leftOut(ChunkId, BlockSet)}. Not in the journal: its replay leaves nothing out. */
  private final Map<ChunkId, BlockSet> leftOut = new HashMap<>();

  CopyState() {}

  public boolean isComplete() {
    return complete;
  }

  /**
   * What the chunks hold all of, in a member that has committed {@code now}; empty when nobody
   * knows.
   */
  public Optional<Version> base(Version now) {
    return complete ? Optional.of(now) : base;
  }

  /** What the chunks hold some of, beside the base. */
  public List<Version> reached() {
    List<Version> reached = new ArrayList<>();
    copied.forEach((view, n) -> reached.add(new Version(view, n)));
    return reached;
  }

  /**
   * Whether the chunk was copied since the base, and so holds everything up to its version. Known
   * as far back as the journal goes.
   */
  public boolean hasCopied(ChunkId chunk) {
    return chunks.contains(chunk) || earlier.contains(chunk);
  }

  /** In a replay: what lies between the log's former end and its new beginning is not here. */
  void logBeganAnew() {
    earlier.addAll(chunks);
    chunks.clear();
  }

  /**
   * In a replay: a committed write is applied to the chunk, which gets its version. The writes
   * before it, of which the log knows nothing, a chunk that was copied earlier does not hold.
   */
  void redone(ChunkId chunk) {
    earlier.remove(chunk);
  }

  /** Nobody knows what the chunks hold: all of them have to be compared. */
  public void lost() {
    complete = false;
    base = Optional.empty();
  }

  /**
   * What the journal says of these blocks is not in the store: a committed write was not applied,
   * for an image of its chunk is to bring it, or an image found no space. A replay would apply it;
   * so until an image is here, the chunk is not what it will be after a restart, and is equal to
   * nobody's.
   */
  public void leftOut(ChunkId chunk, BlockSet blocks) {
    leftOut.computeIfAbsent(chunk, _ -> BlockSet.none()).add(blocks);
  }

  /** All such blocks: whatever the next catch-up finds, it copies them. */
  public Map<ChunkId, BlockSet> leftOut() {
    return Map.copyOf(leftOut);
  }

  /** A chunk, or what differs of it, was replaced by another member's, as of this version. */
  public void copied(ChunkId chunk, Version version) {
    reached(version);
    leftOut.remove(chunk);
    if (base.isPresent()) {
      chunks.add(chunk);
    }
  }

  private void reached(Version version) {
    if (!version.equals(Version.NONE)) {
      copied.merge(version.view(), version.n(), Math::max);
    }
  }

  /** The host joins its group, having committed {@code now}. */
  void join(Version now) {
    if (complete) {
      caughtUp(now);
      base = Optional.of(now);
      complete = false;
    }
    reached(now);
  }

  /** The chunks hold everything committed, {@code now} and from here on. */
  public void caughtUp(Version now) {
    complete = true;
    base = Optional.empty();
    chunks.clear();
    earlier.clear();
    leftOut.clear();
    copied.values().removeIf(n -> n <= now.n());
  }

  /** For the journal. */
  public JournalRecord.Copying record(int pg) {
    return new JournalRecord.Copying(pg, complete, base, reached());
  }

  void restore(JournalRecord.Copying record) {
    if (!record.base().equals(base)) {
      chunks.clear();
      earlier.clear();
    }
    complete = record.complete();
    base = record.base();
    copied.clear();
    record.reached().forEach(this::reached);
  }
}
