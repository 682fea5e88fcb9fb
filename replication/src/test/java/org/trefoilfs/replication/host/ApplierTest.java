package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.FileChunkStore;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.OperationId;

/** A chunk never holds what the journal could lose. */
final class ApplierTest {
  private static final int PG = 3 << 16;
  private static final ChunkId CHUNK = new ChunkId(9, 0);

  @TempDir Path directory;
  private final HeldJournal journal = new HeldJournal();
  private volatile long committed;
  private ChunkStore store;
  private Applier applier;

  @BeforeEach
  void open() {
    store = FileChunkStore.open(directory);
    applier =
        new Applier(journal, store, new NoGroups(this::journalCommitted), (_, _, _) -> {}, _ -> {});
  }

  @AfterEach
  void close() {
    journal.stable(Long.MAX_VALUE);
    applier.close();
    store.close();
  }

  private long journalCommitted(int pg) {
    return journal.append(new JournalRecord.Committed(pg, 1, committed));
  }

  private static ByteBuffer block(int value) {
    ByteBuffer block = ByteBuffer.allocate(ChunkId.BLOCK);
    while (block.hasRemaining()) {
      block.put((byte) value);
    }
    return block.flip();
  }

  private static ChunkImage image(long n, int value) {
    return new ChunkImage(CHUNK, new Version(1, n), List.of(new Extent(0, block(value))));
  }

  private int stored() {
    return store.read(PG, CHUNK, 0, 1).get();
  }

  private void write(long n, int value) {
    committed(n, new Mutation.Write(CHUNK, 0, block(value)));
  }

  private void committed(long n, Mutation mutation) {
    OperationId operation = new OperationId(7, n);
    long position =
        journal.append(new JournalRecord.Prepared(PG, 1, n, n - 1, operation, mutation));
    committed = n;
    applier.committed(new Entry(PG, new Version(1, n), operation, mutation, position));
  }

  @Test
  void whatIsCommittedCountsAsAllocatedBeforeItIsApplied() {
    BlockSet first = BlockSet.of(new Mutation.Punch(CHUNK, 0, ChunkId.BLOCK));
    write(1, 7);
    assertThat(applier.allocated(PG, CHUNK)).isEqualTo(first);
    committed(2, new Mutation.Write(CHUNK, 3 * ChunkId.BLOCK, block(0)));
    assertThat(applier.allocated(PG, CHUNK)).isEqualTo(first);
    committed(3, new Mutation.Punch(CHUNK, 0, ChunkId.BLOCK - 1));
    assertThat(applier.allocated(PG, CHUNK)).isEqualTo(first);
    committed(4, new Mutation.Punch(CHUNK, 0, 2 * ChunkId.BLOCK));
    assertThat(applier.allocated(PG, CHUNK)).isEqualTo(BlockSet.none());
    write(5, 8);
    committed(6, new Mutation.Delete(CHUNK));
    assertThat(applier.allocated(PG, CHUNK)).isEqualTo(BlockSet.none());
    assertThat(store.allocated(PG, CHUNK)).isEqualTo(BlockSet.none());
  }

  @Test
  void writeIsAppliedOnlyWhenTheRecordThatItIsCommittedIsOnStableStorage() {
    write(6, 2);
    journal.stable(journal.end());
    CompletableFuture<Void> barrier = applier.barrier();
    await().until(journal::isAwaited);
    assertThat(journal.records.getLast()).isEqualTo(new JournalRecord.Committed(PG, 1, 6));
    assertThat(store.info(PG, CHUNK)).isEmpty();
    journal.stable(journal.end());
    barrier.join();
    assertThat(stored()).isEqualTo(2);
  }

  @Test
  void imageIsInstalledOnlyWhenItsRecordIsOnStableStorage() {
    CompletableFuture<Boolean> done = applier.replace(PG, image(5, 1), List.of());
    await().until(journal::isAwaited);
    assertThat(store.info(PG, CHUNK)).isEmpty();
    assertThat(done).isNotDone();
    journal.stable(journal.end());
    assertThat(done.join()).isTrue();
    assertThat(stored()).isEqualTo(1);
  }

  @Test
  void blocksArePatchedOnlyWhenTheirRecordIsOnStableStorage() {
    BlockSet blocks = BlockSet.of(new Mutation.Write(CHUNK, 0, block(1)));
    CompletableFuture<Boolean> done = applier.patch(PG, image(5, 1), blocks, List.of());
    await().until(journal::isAwaited);
    assertThat(store.info(PG, CHUNK)).isEmpty();
    journal.stable(journal.end());
    assertThat(done.join()).isTrue();
    assertThat(stored()).isEqualTo(1);
  }

  @Test
  void writeThatIsCommittedAfterAnImageWasJournaledComesOverIt() {
    CompletableFuture<Boolean> done = applier.replace(PG, image(5, 1), List.of());
    write(6, 2);
    CompletableFuture<Void> barrier = applier.barrier();
    journal.stable(Long.MAX_VALUE);
    done.join();
    barrier.join();
    assertThat(stored()).isEqualTo(2);
    assertThat(store.info(PG, CHUNK).orElseThrow().version()).isEqualTo(new Version(1, 6));
  }

  @Test
  void healingImageTakesTheWritesAlongThatWaitToBeApplied() {
    write(6, 2);
    CompletableFuture<Boolean> done = applier.install(PG, image(5, 1));
    journal.stable(Long.MAX_VALUE);
    assertThat(done.join()).isTrue();
    assertThat(stored()).isEqualTo(2);
    assertThat(store.info(PG, CHUNK).orElseThrow().version()).isEqualTo(new Version(1, 6));
  }

  @Test
  void healingImageOlderThanTheChunkIsNotInstalled() {
    write(6, 2);
    journal.stable(Long.MAX_VALUE);
    applier.barrier().join();
    assertThat(applier.install(PG, image(5, 1)).join()).isFalse();
    assertThat(stored()).isEqualTo(2);
  }

  @Test
  void recordOfAnImageIsNeededUntilItIsInstalled() {
    CompletableFuture<Boolean> done = applier.replace(PG, image(5, 1), List.of());
    assertThat(applier.oldestWaiting()).isEqualTo(1);
    journal.stable(journal.end());
    done.join();
    assertThat(applier.oldestWaiting()).isEqualTo(Long.MAX_VALUE);
  }
}
