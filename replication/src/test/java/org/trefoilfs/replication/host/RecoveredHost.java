package org.trefoilfs.replication.host;

import java.util.List;
import java.util.Map;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.journal.ReplayReport;
import org.trefoilfs.replication.membership.OperationId;

/** A host's recovery and its memory of operations, opened to the simulator, which drives them. */
public final class RecoveredHost {
  private final RecentOperations recent = new RecentOperations();
  private final Recovery recovery;

  public RecoveredHost(ChunkStore store) {
    recovery = new Recovery(store, recent);
  }

  public void replay(JournalRecord record, long position) {
    recovery.replay(record, position);
  }

  /** The groups' logs, once everything is replayed. */
  public Map<Integer, GroupLog> groups() {
    return recovery.groups(ReplayReport.Loss.NONE);
  }

  /** What the journal tells of a group's latest writes. */
  public History history(int pg) {
    return recovery.history(pg);
  }

  /** A chunk is replaced, or removed, as it is by {@code Applier.replace}. */
  public static void install(ChunkStore store, int pg, ChunkImage image) {
    Applier.installWithoutJournal(store, pg, image);
  }

  /** Blocks of a chunk are replaced, as they are by {@code Applier.patch}. */
  public static void patch(ChunkStore store, int pg, ChunkImage image, BlockSet blocks) {
    Applier.patchWithoutJournal(store, pg, image, blocks);
  }

  public void committed(Entry entry) {
    recent.committed(entry.pg(), entry.operation(), entry.version());
  }

  public void committedEarlier(int pg, List<OperationId> operations) {
    recent.committedEarlier(pg, operations);
  }

  public List<OperationId> unknown(List<OperationId> operations) {
    return recent.unknown(operations);
  }

  public void forget(int pg) {
    recent.forget(pg);
  }

  public List<OperationId> committedIn(int pg) {
    return recent.ofGroup(pg);
  }

  public Version committedBefore(OperationId operation) {
    return recent.version(operation);
  }
}
