package org.trefoilfs.replication.host;

import java.time.Duration;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.placement.PgView;

/** What the groups of a host need of it. */
interface GroupNode {
  HostId self();

  long incarnation();

  TimeSource time();

  boolean leased();

  DiskRoom room();

  PayloadMemory memory();

  Admission admission();

  ClusterView view();

  Peers peers();

  Applier applier();

  Journal journal();

  /** Appends to the journal. A disk that refuses has failed: see {@link #failed}. */
  default long append(JournalRecord record) {
    try {
      return journal().append(record);
    } catch (TrefoilException e) {
      if (e.reason() == Reason.IO) {
        failed(e);
      }
      throw e;
    }
  }

  ChunkStore store();

  Duration detection();

  void propose(PgView next);

  /** The disk has failed: the host must not serve any longer. */
  void failed(TrefoilException why);

  void startCatchUp(Slot slot, long view, HostId primary);
}
