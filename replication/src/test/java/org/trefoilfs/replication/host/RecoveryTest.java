package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.FileChunkStore;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
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
  void whatTheStoreHasAppliedIsKnownToBeCommittedThoughNoRecordSaysSo() {
    try (ChunkStore store = FileChunkStore.open(directory)) {
      store.apply(PG, mutation(2), new Version(1, 2), ChunkStore.Redo.FIRST);
      GroupLog log = replay(store, prepared(1), prepared(2), prepared(3));
      assertThat(log.commitIndex()).isEqualTo(2);
      assertThat(log.lastN()).isEqualTo(3);
      assertThat(store.read(PG, CHUNK, 8, 8).getLong()).isEqualTo(1);
      assertThat(recent.version(operation(2))).isEqualTo(new Version(1, 2));
      assertThat(recent.version(operation(3))).isEqualTo(Version.NONE);
    }
  }

  @Test
  void chunkWhoseTableWasTornByAWriteNotKnownToBeCommittedTakesThatWriteAgain() throws IOException {
    try (ChunkStore store = FileChunkStore.open(directory)) {
      store.apply(PG, mutation(1), new Version(1, 1), ChunkStore.Redo.FIRST);
    }
    // A new file of which no page has reached the disk, only its name.
    try (FileChannel file = FileChannel.open(chunkFile(), StandardOpenOption.WRITE)) {
      file.truncate(0);
    }
    assertTakesTheLastWriteAgain(prepared(1));
  }

  @Test
  void blockThatWasTornByAWriteNotKnownToBeCommittedTakesThatWriteAgain() throws IOException {
    byte[] before;
    try (ChunkStore store = FileChunkStore.open(directory)) {
      store.apply(PG, mutation(1), new Version(1, 1), ChunkStore.Redo.FIRST);
      store.sync();
      before = Files.readAllBytes(chunkFile());
      store.apply(PG, mutation(2), new Version(1, 2), ChunkStore.Redo.FIRST);
    }
    // The block has reached the disk, the table behind the data has not.
    try (FileChannel file = FileChannel.open(chunkFile(), StandardOpenOption.WRITE)) {
      int table = ChunkId.SIZE;
      file.write(ByteBuffer.wrap(before, table, before.length - table), table);
    }
    assertTakesTheLastWriteAgain(new JournalRecord.Committed(PG, 1, 1), prepared(2));
  }

  /** As when all members of a group lost power, and open it again together. */
  private void assertTakesTheLastWriteAgain(JournalRecord... records) {
    try (ChunkStore store = FileChunkStore.open(directory)) {
      GroupLog log = replay(store, records);
      assertThat(log.suffix()).hasSize(1);
      Entry last = log.suffix().iterator().next();
      store.read(PG, CHUNK, 0, ChunkId.BLOCK);
      store.apply(PG, last.mutation(), last.version(), ChunkStore.Redo.FIRST);
      for (long n = 1; n <= last.n(); n++) {
        assertThat(store.read(PG, CHUNK, (int) n * 8, 8).getLong()).isEqualTo(n);
      }
    }
  }

  private Path chunkFile() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(file -> file.endsWith(CHUNK.toString())).findAny().orElseThrow();
    }
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
  void oldestOperationsAreForgottenInTheirGroupsToo() {
    for (long n = 1; n <= RecentOperations.MAX_OPERATIONS + 1; n++) {
      recent.committed(PG, operation(n), new Version(1, n));
    }
    assertThat(recent.version(operation(1))).isEqualTo(Version.NONE);
    assertThat(recent.ofGroup(PG)).hasSize(RecentOperations.MAX_OPERATIONS);
    assertThat(recent.ofGroup(PG).getFirst()).isEqualTo(operation(2));
  }
}
