package org.trefoilfs.replication.host;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.OperationId;

/**
 * Lets the journal recycle its segments: what lies before the oldest record still needed is in
 * chunks on stable storage. The groups' numbering, and which operations they have committed, is
 * written to the journal first, for it must outlive the records that it came from.
 */
final class Checkpoint {
  private static final Logger log = LoggerFactory.getLogger(Checkpoint.class);

  private final Journal journal;
  private final ChunkStore store;
  private final Applier applier;
  private final GroupHost groups;
  private final long dueBytes;

  /**
   * @param dueBytes of unreleased records make a checkpoint due
   */
  Checkpoint(Journal journal, ChunkStore store, Applier applier, GroupHost groups, long dueBytes) {
    this.dueBytes = dueBytes;
    this.journal = journal;
    this.store = store;
    this.applier = applier;
    this.groups = groups;
  }

  void runIfDue() {
    if (journal.unreleased() >= dueBytes) {
      run();
    }
  }

  synchronized void run() {
    long needed = journal.end();
    for (Slot slot : groups.slots().all()) {
      synchronized (slot) {
        for (Entry entry : slot.group.log().suffix()) {
          needed = Math.min(needed, entry.position() - 1);
        }
      }
    }
    needed = withWhatImagesNeed(Math.min(needed, applier.oldestWaiting() - 1));
    long last = 0;
    for (Slot slot : groups.slots().all()) {
      synchronized (slot) {
        GroupLog group = slot.group.log();
        if (group.lastN() > 0) {
          last =
              journal.append(
                  new JournalRecord.Committed(
                      group.pg(), group.last().view(), group.commitIndex()));
          last = appendAnswered(group.pg(), last);
        }
        if (group.lastN() > 0 || !group.copyState().isComplete()) {
          last = journal.append(group.copyState().record(group.pg()));
        }
      }
    }
    journal.sync(last).join();
    store.sync();
    journal.release(needed);
    for (Slot slot : groups.slots().all()) {
      synchronized (slot) {
        slot.group.log().released(needed);
      }
    }
    log.debug("checkpoint: journal released up to {}", needed);
  }

  /** What one group's images need may be more than another's allow. */
  private long withWhatImagesNeed(long wanted) {
    long needed = wanted;
    long before;
    do {
      before = needed;
      for (Slot slot : groups.slots().all()) {
        synchronized (slot) {
          needed = slot.group.log().releasable(needed);
        }
      }
    } while (needed < before);
    return needed;
  }

  /** The position of its record, or {@code last}. */
  private long appendAnswered(int pg, long last) {
    List<OperationId> operations = groups.recent().ofGroup(pg);
    return operations.isEmpty() ? last : journal.append(new JournalRecord.Answered(pg, operations));
  }
}
