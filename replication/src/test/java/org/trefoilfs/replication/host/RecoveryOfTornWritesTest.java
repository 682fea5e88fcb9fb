package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
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

/**
 * Whatever a loss of power tears of the writes that were being applied, the host's own journal
 * redoes: all members of a group may have lost power at once, and torn the same blocks, and then no
 * other replica has them. Neither of the writes here is followed by one that would say in its
 * record that it is committed.
 */
final class RecoveryOfTornWritesTest {
  private static final int PG = 3 << 16;
  private static final ChunkId CHUNK = new ChunkId(9, 0);

  @TempDir Path directory;
  private final HeldJournal journal = new HeldJournal();
  private volatile long committed;

  @Test
  void chunkOfWhichNothingButTheNameReachedTheDiskIsWrittenAgain() throws IOException {
    try (ChunkStore store = FileChunkStore.open(directory)) {
      apply(store, 1);
    }
    try (FileChannel file = FileChannel.open(chunkFile(), StandardOpenOption.WRITE)) {
      file.truncate(0);
    }
    assertHoldsAfterReplay(1);
  }

  @Test
  void blockThatReachedTheDiskWithoutItsChecksumIsWrittenAgain() throws IOException {
    byte[] before;
    try (ChunkStore store = FileChunkStore.open(directory)) {
      apply(store, 1);
      store.sync();
      before = Files.readAllBytes(chunkFile());
      apply(store, 2);
    }
    try (FileChannel file = FileChannel.open(chunkFile(), StandardOpenOption.WRITE)) {
      int table = ChunkId.SIZE; // behind the data
      file.write(ByteBuffer.wrap(before, table, before.length - table), table);
    }
    assertHoldsAfterReplay(2);
  }

  @Test
  void checksumThatReachedTheDiskWithoutItsBlockIsWrittenAgain() throws IOException {
    byte[] before;
    try (ChunkStore store = FileChunkStore.open(directory)) {
      apply(store, 1);
      store.sync();
      before = Files.readAllBytes(chunkFile());
      apply(store, 2);
    }
    try (FileChannel file = FileChannel.open(chunkFile(), StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(before, 0, ChunkId.BLOCK), 0);
    }
    assertHoldsAfterReplay(2);
  }

  private static Mutation mutation(long n) {
    return new Mutation.Write(CHUNK, (int) n * 8, ByteBuffer.allocate(8).putLong(0, n));
  }

  /** As soon as the applier dares to. */
  private void apply(ChunkStore store, long n) {
    OperationId operation = new OperationId(7, n);
    try (Applier applier =
        new Applier(
            journal,
            store,
            new NoGroups(pg -> journal.append(new JournalRecord.Committed(pg, 1, committed))),
            (_, _, _) -> {},
            _ -> {})) {
      long position =
          journal.append(new JournalRecord.Prepared(PG, 1, n, 0, operation, mutation(n)));
      committed = n;
      applier.committed(new Entry(PG, new Version(1, n), operation, mutation(n), position));
      CompletableFuture<Void> applied = applier.barrier();
      await().until(() -> applied.isDone() || journal.isAwaited());
      journal.stable(journal.end());
      applied.join();
    }
  }

  private Path chunkFile() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(file -> file.endsWith(CHUNK.toString())).findAny().orElseThrow();
    }
  }

  private void assertHoldsAfterReplay(long last) {
    try (ChunkStore store = FileChunkStore.open(directory)) {
      Recovery recovery = new Recovery(store, new RecentOperations());
      for (int i = 0; i < journal.synced(); i++) {
        recovery.replay(journal.records.get(i), i + 1);
      }
      GroupLog log = recovery.groups(ReplayReport.Loss.NONE).get(PG);
      assertThat(log.commitIndex()).isEqualTo(last);
      assertThat(log.suffix()).isEmpty();
      for (long n = 1; n <= last; n++) {
        assertThat(store.read(PG, CHUNK, (int) n * 8, 8).getLong()).isEqualTo(n);
      }
    }
  }
}
