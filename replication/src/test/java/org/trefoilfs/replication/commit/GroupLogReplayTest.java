package org.trefoilfs.replication.commit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.OperationId;

/** A journal of which the beginning was released, while writes were prepared and not committed. */
final class GroupLogReplayTest {
  private static final int PG = 1;

  private final GroupLog log = new GroupLog(PG);
  private long position;

  private void replay(JournalRecord record) {
    log.replay(record, ++position);
  }

  private static JournalRecord prepared(long view, long n, long commitIndex) {
    return new JournalRecord.Prepared(
        PG,
        view,
        n,
        commitIndex,
        new OperationId(view, n),
        new Mutation.Write(new ChunkId(9, 0), 0, ByteBuffer.allocate(8)));
  }

  @Test
  void beginningOfTheJournalSaysWhatWasCommitted() {
    replay(prepared(1, 5, 4));
    assertThat(log.commitIndex()).isEqualTo(4);
    assertThat(log.lastN()).isEqualTo(5);
  }

  @Test
  void writesPreparedAgainInALaterViewAreNotTakenForCommitted() {
    // 3 and 4 were prepared in view 1, and again in view 2: their first records are released.
    replay(prepared(1, 5, 2));
    replay(prepared(2, 3, 2));
    replay(prepared(2, 4, 2));
    replay(prepared(2, 5, 2));
    assertThat(log.commitIndex()).isEqualTo(2);
    assertThat(log.suffix()).extracting(Entry::n).containsExactly(3L, 4L, 5L);
    assertThat(log.suffix()).allMatch(entry -> entry.version().view() == 2);
  }

  @Test
  void writesThatWereVoidAreNotTakenForCommitted() {
    replay(prepared(1, 5, 2));
    replay(new JournalRecord.Truncated(PG, 2, 2));
    replay(prepared(2, 3, 2));
    assertThat(log.commitIndex()).isEqualTo(2);
    assertThat(log.suffix()).extracting(Entry::n).containsExactly(3L);
  }

  /**
   * A catch-up copies a chunk, and is interrupted; in the next one a write to the chunk is
   * committed before what was written meanwhile has come, and the host is killed: the chunk then
   * has the number of its last write, and not all that was written before.
   */
  @Test
  void aChunkThatGotALaterWriteAloneIsNotTakenForCopied() {
    ChunkId written = new ChunkId(9, 0);
    ChunkId untouched = new ChunkId(9, 1);
    replay(new JournalRecord.Copying(PG, false, Optional.of(new Version(1, 1)), List.of()));
    replay(new JournalRecord.Reset(PG, 2, 12));
    for (ChunkId chunk : List.of(written, untouched)) {
      ChunkImage image = new ChunkImage(chunk, new Version(2, 12), List.of());
      replay(new JournalRecord.Installed(PG, image));
    }
    replay(new JournalRecord.Reset(PG, 3, 18));
    assertThat(log.copyState().hasCopied(written)).as("nothing was done to it since").isTrue();
    replay(prepared(3, 19, 18));
    replay(new JournalRecord.Committed(PG, 3, 19));
    assertThat(log.copyState().hasCopied(written)).isFalse();
    assertThat(log.copyState().hasCopied(untouched)).isTrue();
    replay(
        new JournalRecord.Patched(
            PG, new ChunkImage(written, new Version(3, 19), List.of()), BlockSet.all()));
    assertThat(log.copyState().hasCopied(written)).as("then it came").isTrue();
    replay(prepared(3, 20, 19));
    replay(new JournalRecord.Committed(PG, 3, 20));
    assertThat(log.copyState().hasCopied(written)).as("and all that came after").isTrue();
  }

  /** Seed 620000143066 of the simulator: the image was redone over writes that were released. */
  @Test
  void writesThatComeAfterAnImageAreKeptAsLongAsTheImage() {
    replay(prepared(1, 1, 0)); // at 1
    replay(prepared(1, 2, 0)); // at 2, and the image at 3
    replay(
        new JournalRecord.Installed(
            PG, new ChunkImage(new ChunkId(9, 0), new Version(1, 0), List.of())));
    replay(prepared(1, 3, 2)); // at 4: 1 and 2 are committed, and come over the image
    assertThat(log.releasable(2)).as("the image stays, and what it is followed by").isZero();
    assertThat(log.releasable(3)).as("all of them go").isEqualTo(3);
    log.released(3);
    assertThat(log.releasable(2)).isEqualTo(2);
  }

  @Test
  void anImageThatNothingWaitsForHoldsNothingUp() {
    replay(prepared(1, 1, 0));
    replay(new JournalRecord.Committed(PG, 1, 1));
    replay(
        new JournalRecord.Installed(
            PG, new ChunkImage(new ChunkId(9, 0), new Version(1, 1), List.of())));
    assertThat(log.releasable(2)).isEqualTo(2);
  }
}
