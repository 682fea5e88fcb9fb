package org.trefoilfs.replication.host;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.journal.ReplayReport;
import org.trefoilfs.replication.membership.OperationId;

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
  private final Map<Integer, History> histories = new TreeMap<>();
  private long redone;

  Recovery(ChunkStore store, RecentOperations recent) {
    this.store = store;
    this.recent = recent;
  }

  void replay(JournalRecord record, long position) {
    GroupLog group = groups.computeIfAbsent(record.pg(), GroupLog::new);
    History history = history(record.pg());
    redo(group.replay(record, position));
    switch (record) {
      case JournalRecord.Installed(int pg, ChunkImage image) ->
          Applier.installWithoutJournal(store, pg, image);
      case JournalRecord.Patched(int pg, ChunkImage image, BlockSet blocks) ->
          Applier.patchWithoutJournal(store, pg, image, blocks);
      case JournalRecord.Reset reset -> {
        history.joins(group.committed());
        recent.forget(reset.pg());
      }
      case JournalRecord.Answered(int pg, List<OperationId> operations) ->
          recent.committedEarlier(pg, operations);
      case JournalRecord.Copying copying when copying.complete() -> history.caughtUp();
      default -> {}
    }
  }

  private void redo(List<Entry> committed) {
    for (Entry entry : committed) {
      history(entry.pg()).committed(entry);
      store.apply(entry.pg(), entry.mutation(), entry.version(), ChunkStore.Redo.REDO);
      recent.committed(entry.pg(), entry.operation(), entry.version());
      redone++;
    }
  }

  /** What the group's journal records tell of its latest writes. */
  History history(int pg) {
    return histories.computeIfAbsent(pg, _ -> new History());
  }

  /**
   * The groups as the journal left them. Where the journal says nothing of a group, or has lost
   * records, the chunks themselves say how far its numbering had come: a number that is used twice
   * would make a later write look like an earlier one.
   */
  Map<Integer, GroupLog> groups(ReplayReport.Loss loss) {
    for (int pg : store.groups()) {
      if (loss == ReplayReport.Loss.DAMAGE || !groups.containsKey(pg)) {
        long highest =
            store.list(pg).stream().mapToLong(info -> info.version().n()).max().orElse(0);
        GroupLog group = groups.computeIfAbsent(pg, GroupLog::new);
        group.startAfter(highest);
        group.copyState().lost();
      }
    }
    if (loss == ReplayReport.Loss.DAMAGE) {
      log.error(
          "the journal has lost records that had been synced; this host's groups are compared with"
              + " the other replicas', chunk by chunk");
    }
    if (redone > 0) {
      log.info("journal replayed: {} committed writes redone in {} groups", redone, groups.size());
    }
    return groups;
  }
}
