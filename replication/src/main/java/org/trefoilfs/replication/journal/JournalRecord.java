package org.trefoilfs.replication.journal;

import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.OperationId;

/** What the journal holds, in the order in which it was appended. */
public sealed interface JournalRecord {
  int pg();

  /**
   * A write as its member prepared it. A later record of the same group and number replaces it.
   *
   * @param commitIndex the highest number known to be committed in the group when this was appended
   */
  record Prepared(
      int pg, long view, long n, long commitIndex, OperationId operation, Mutation mutation)
      implements JournalRecord {}

  /** In {@code view}, prepared writes of the group numbered above {@code lastN} are void. */
  record Truncated(int pg, long view, long lastN) implements JournalRecord {}

  /**
   * The group is known to be committed up to {@code n}, last written in {@code view}. Appended
   * before a release, so that the group's numbering outlives its records.
   */
  record Committed(int pg, long view, long n) implements JournalRecord {}

  /** A chunk replaced as a whole by catch-up or healing. */
  record Installed(int pg, ChunkImage image) implements JournalRecord {}

  /**
   * Blocks of a chunk replaced by catch-up.
   *
   * @param image of these blocks alone; those without an extent are holes
   */
  record Patched(int pg, ChunkImage image, BlockSet blocks) implements JournalRecord {}

  /**
   * How far the host's chunks of the group hold what was committed.
   *
   * @param complete everything; the base then says nothing
   * @param base everything up to this; empty when nobody knows
   * @param reached some of what came later, up to these
   */
  record Copying(int pg, boolean complete, Optional<Version> base, List<Version> reached)
      implements JournalRecord {
    public Copying {
      reached = List.copyOf(reached);
    }
  }

  /**
   * The group's log begins anew after {@code n}: the host rejoins it. Prepared writes before this
   * are void; chunks stay, and catch-up compares them.
   */
  record Reset(int pg, long view, long n) implements JournalRecord {}

  /**
   * Operations that the group has committed, and of which the journal may hold no other record: a
   * retry of one is answered, not applied.
   */
  record Answered(int pg, List<OperationId> operations) implements JournalRecord {
    public Answered {
      operations = List.copyOf(operations);
    }
  }
}
