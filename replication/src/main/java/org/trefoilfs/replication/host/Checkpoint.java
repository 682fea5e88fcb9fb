package org.trefoilfs.replication.host;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.journal.JournalRecord;

/**
 * Lets the journal recycle its segments: what lies before the oldest record still needed is in
 * chunks on stable storage. The groups' numbering is written to the journal first, for it must
 * outlive the records that it came from.
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
    for (GroupHost.Slot slot : groups.slots()) {
      synchronized (slot) {
        for (Entry entry : slot.group.log().suffix()) {
          needed = Math.min(needed, entry.position() - 1);
        }
      }
    }
    needed = Math.min(needed, applier.oldestWaiting() - 1);
    long last = 0;
    for (GroupHost.Slot slot : groups.slots()) {
      synchronized (slot) {
        GroupLog group = slot.group.log();
        if (group.lastN() > 0) {
          last =
              journal.append(
                  new JournalRecord.Committed(
                      group.pg(), group.last().view(), group.commitIndex()));
        }
        if (group.lastN() > 0 || !group.copyState().isComplete()) {
          last = journal.append(group.copyState().record(group.pg()));
        }
      }
    }
    journal.sync(last).join();
    store.sync();
    journal.release(needed);
    log.debug("checkpoint: journal released up to {}", needed);
  }
}
