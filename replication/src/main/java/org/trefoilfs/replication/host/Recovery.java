package org.trefoilfs.replication.host;

import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.journal.JournalRecord;

/**
 * Follows the journal's replay at start: rebuilds each group's log, and redoes what is known to be
 * committed, in order, which heals blocks that the stop tore. The uncommitted suffixes are left to
 * the views.
 */
final class Recovery {
  private static final Logger log = LoggerFactory.getLogger(Recovery.class);

  private final ChunkStore store;
  private final RecentOperations recent;
  private final Map<Integer, GroupLog> groups = new TreeMap<>();
  private long redone;

  Recovery(ChunkStore store, RecentOperations recent) {
    this.store = store;
    this.recent = recent;
  }

  void replay(JournalRecord record, long position) {
    GroupLog group = groups.computeIfAbsent(record.pg(), GroupLog::new);
    for (Entry entry : group.replay(record, position)) {
      store.apply(entry.pg(), entry.mutation(), entry.version(), ChunkStore.Redo.REDO);
      recent.committed(entry.operation(), entry.version());
      redone++;
    }
    if (record instanceof JournalRecord.Installed installed) {
      Applier.installWithoutJournal(store, installed.pg(), installed.image());
    }
  }

  Map<Integer, GroupLog> groups() {
    if (redone > 0) {
      log.info("journal replayed: {} committed writes redone in {} groups", redone, groups.size());
    }
    return groups;
  }
}
