package org.trefoilfs.replication.host;

import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.Space;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.journal.JournalOptions;

/**
 * What this host's disk can still take. What was let in already counts as stored, though it is not
 * yet: committed writes that wait to be applied, and the segments that the journal may still grow
 * by.
 */
final class DiskRoom {
  private final ChunkStore store;
  private final Journal journal;
  private final Applier applier;
  private final PayloadLimits limits;
  private final long unreleasedMax;
  private final long journalMax;

  DiskRoom(
      ChunkStore store,
      Journal journal,
      JournalOptions options,
      Applier applier,
      PayloadLimits limits) {
    this.limits = limits;
    this.store = store;
    this.journal = journal;
    this.applier = applier;
    unreleasedMax = (long) options.segmentBytes() * HostLimits.UNRELEASED_SEGMENTS;
    journalMax = unreleasedMax + (1L + options.spareSegments()) * options.segmentBytes();
  }

  Space space() {
    Space disk = store.space();
    long promised = applier.backlogBytes() + Math.max(0, journalMax - journal.allocated());
    long usable = applier.isStarved() ? 0 : Math.max(0, disk.usable() - promised);
    return new Space(disk.total(), usable);
  }

  /**
   * Whether the disk has much to do with what is written, though nobody waits for it yet. The
   * journal is half full before a checkpoint begins.
   */
  boolean isFilling() {
    return applier.backlogBytes() > limits.backlog() / 2
        || journal.unreleased() > unreleasedMax / 4 * 3;
  }

  /** Committed bytes in memory that are not in the store yet. */
  long backlogBytes() {
    return applier.backlogBytes();
  }

  /** Whether committed writes wait for space. */
  boolean isStarved() {
    return applier.isStarved();
  }

  /** Whether the journal is as long as it may become before a checkpoint has shortened it. */
  boolean isJournalFull() {
    return journal.unreleased() > unreleasedMax;
  }
}
