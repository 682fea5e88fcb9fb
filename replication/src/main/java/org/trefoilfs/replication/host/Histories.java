package org.trefoilfs.replication.host;

import java.util.concurrent.atomic.AtomicLong;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.heal.History;

/**
 * Keeps the memory of all groups' histories bounded. What a joiner had written before it joined is
 * not counted: it goes once it has caught up. Each history under its group's lock.
 */
final class Histories {
  /** Chunks in all groups' histories: some 25 MiB. */
  static final long MAX_CHUNKS = 1L << 17;

  private final long maxChunks;
  private final AtomicLong chunks = new AtomicLong();

  Histories(long maxChunks) {
    this.maxChunks = maxChunks;
  }

  /**
   * Takes a history over as the journal's replay left it; its group's log has reached {@code now}.
   */
  void recovered(History history, Version now) {
    history.continueFrom(now);
    chunks.addAndGet(history.chunks());
  }

  /**
   * What a member that is away will have to copy.
   *
   * @param whole whether none is away
   */
  void committed(History history, Entry entry, boolean whole) {
    int before = history.chunks();
    history.committed(entry);
    if (whole) {
      history.trimIfDue();
    } else if (chunks.get() > maxChunks) {
      history.trim();
    }
    chunks.addAndGet(history.chunks() - before);
  }

  /** This host joins the group: the live writes begin after {@code from}. */
  void joins(History history, Version from) {
    int before = history.chunks();
    history.joins(from);
    chunks.addAndGet(history.chunks() - before);
  }

  /** Chunks in all histories together. */
  long chunks() {
    return chunks.get();
  }
}
