package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.FileChunkStore;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.journal.ReplayReport;
import org.trefoilfs.replication.membership.OperationId;

final class RecoveryTest {
  private static final int PG = 3 << 16;
  private static final ChunkId CHUNK = new ChunkId(9, 0);

  @TempDir Path directory;
  private final RecentOperations recent = new RecentOperations();

  private static JournalRecord.Prepared prepared(long n) {
    return new JournalRecord.Prepared(PG, 1, n, 0, operation(n), mutation(n));
  }

  private static OperationId operation(long n) {
    return new OperationId(7, n);
  }

  private static Mutation mutation(long n) {
    return new Mutation.Write(CHUNK, (int) n * 8, ByteBuffer.allocate(8).putLong(0, n));
  }

  private GroupLog replay(ChunkStore store, JournalRecord... records) {
    Recovery recovery = new Recovery(store, recent);
    for (int i = 0; i < records.length; i++) {
      recovery.replay(records[i], i + 1);
    }
    return recovery.groups(ReplayReport.Loss.NONE).get(PG);
  }

  @Test
  void groupThatBeganAnewForgetsTheOperationsOfItsFormerHistory() {
    try (ChunkStore store = FileChunkStore.open(directory)) {
      replay(
          store,
          prepared(1),
          new JournalRecord.Committed(PG, 1, 1),
          new JournalRecord.Reset(PG, 2, 0),
          new JournalRecord.Answered(PG, List.of(operation(8))));
      assertThat(recent.version(operation(1))).isEqualTo(Version.NONE);
      assertThat(recent.ofGroup(PG)).containsExactly(operation(8));
    }
  }

  @Test
  void operationsThatAreToldAgainAreNoNews() {
    assertThat(recent.unknown(List.of(operation(1), operation(2))))
        .containsExactly(operation(1), operation(2));
    recent.committed(PG, operation(1), new Version(1, 1));
    recent.committedEarlier(PG, List.of(operation(2)));
    assertThat(recent.unknown(List.of(operation(1), operation(2), operation(3))))
        .containsExactly(operation(3));
    recent.forget(PG);
    assertThat(recent.unknown(List.of(operation(1)))).containsExactly(operation(1));
  }

  @Test
  void oldestOperationsAreForgottenInTheirGroupsToo() {
    for (long n = 1; n <= RecentOperations.MAX_OPERATIONS + 1; n++) {
      recent.committed(PG, operation(n), new Version(1, n));
    }
    assertThat(recent.version(operation(1))).isEqualTo(Version.NONE);
    assertThat(recent.ofGroup(PG)).hasSize(RecentOperations.MAX_OPERATIONS);
    assertThat(recent.ofGroup(PG).getFirst()).isEqualTo(operation(2));
  }
}
