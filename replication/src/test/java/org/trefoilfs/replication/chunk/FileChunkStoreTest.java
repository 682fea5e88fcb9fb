package org.trefoilfs.replication.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.trefoilfs.replication.chunk.ChunkFixture.BLOCK;
import static org.trefoilfs.replication.chunk.ChunkFixture.PG;
import static org.trefoilfs.replication.chunk.ChunkFixture.allocatedBytes;
import static org.trefoilfs.replication.chunk.ChunkFixture.apply;
import static org.trefoilfs.replication.chunk.ChunkFixture.bytes;
import static org.trefoilfs.replication.chunk.ChunkFixture.file;
import static org.trefoilfs.replication.chunk.ChunkFixture.flip;
import static org.trefoilfs.replication.chunk.ChunkFixture.isReason;
import static org.trefoilfs.replication.chunk.ChunkFixture.read;
import static org.trefoilfs.replication.chunk.ChunkFixture.redo;
import static org.trefoilfs.replication.chunk.ChunkFixture.scribble;
import static org.trefoilfs.replication.chunk.ChunkFixture.write;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.Reason;

class FileChunkStoreTest {
  private static final ChunkId ID = new ChunkId(0xcafeL, 7);
  @TempDir Path root;
  private final AtomicBoolean broken = new AtomicBoolean();
  private final AtomicInteger forces = new AtomicInteger();
  private FileChunkStore store;

  @BeforeEach
  void open() {
    Disk disk =
        new Disk() {
          @Override
          public void force(FileChannel file) throws IOException {
            forces.incrementAndGet();
            if (broken.get()) {
              throw new IOException("Input/output error");
            }
            file.force(false);
          }
        };
    store = FileChunkStore.open(root, FileChunkStore.OPEN_FILES, disk);
  }

  @AfterEach
  void close() {
    broken.set(false);
    store.close();
  }

  private void reopen() {
    store.close();
    open();
  }

  @Test
  void whatDoesNotExistReadsAsZeros() {
    assertThat(read(store, ID, 100, 5000)).isEqualTo(new byte[5000]);
    assertThat(store.info(PG, ID)).isEmpty();
    assertThat(store.image(PG, ID)).isEmpty();
    assertThat(store.list(PG)).isEmpty();
    assertThat(store.groups()).isEmpty();
  }

  @Test
  void whatWasAppliedIsThereAfterReopening() {
    apply(store, 9, write(ID, 4000, bytes(1, 200)));
    reopen();
    assertThat(read(store, ID, 4000, 200)).isEqualTo(bytes(1, 200));
    assertThat(store.info(PG, ID).orElseThrow().version()).isEqualTo(new Version(1, 9));
    assertThat(store.info(PG, ID).orElseThrow().blocks()).isEqualTo(2);
    assertThat(store.groups()).containsExactly(PG);
  }

  @Test
  void aFlippedByteIsFoundOnRead() throws IOException {
    apply(store, 1, write(ID, 0, bytes(1, 4 * BLOCK)));
    flip(file(root, ID), 2 * BLOCK + 77);
    assertThat(read(store, ID, 0, 2 * BLOCK)).isEqualTo(bytes(1, 2 * BLOCK));
    assertThatThrownBy(() -> read(store, ID, 2 * BLOCK + 3000, 10))
        .satisfies(isReason(Reason.CORRUPT))
        .hasMessageContaining(file(root, ID).toString())
        .hasMessageContaining("block 2")
        .hasMessageMatching(".*expected checksum [0-9a-f]{8}, found [0-9a-f]{8}.*");
    assertThatThrownBy(() -> store.image(PG, ID)).satisfies(isReason(Reason.CORRUPT));
  }

  @Test
  void blocksBesideADamagedOneCanBeGiven() throws IOException {
    apply(store, 1, write(ID, BLOCK, bytes(1, 4 * BLOCK)));
    flip(file(root, ID), 2 * BLOCK + 77);
    BlockSet others = BlockSet.of(new Mutation.Punch(ID, 0, 2 * BLOCK));
    others.add(BlockSet.of(new Mutation.Punch(ID, 4 * BLOCK, 3 * BLOCK)));
    ChunkImage image = store.image(PG, ID, others).orElseThrow();
    assertThat(image.version()).isEqualTo(new Version(1, 1));
    assertThat(image.extents()).extracting(Extent::offset).containsExactly(BLOCK, 4 * BLOCK);
    assertThat(image.bytes()).isEqualTo(2 * BLOCK);
    others.add(BlockSet.of(new Mutation.Punch(ID, 2 * BLOCK, 1)));
    assertThatThrownBy(() -> store.image(PG, ID, others)).satisfies(isReason(Reason.CORRUPT));
  }

  @Test
  void aByteThatAppearsInAHoleIsFoundOnRead() throws IOException {
    apply(store, 1, write(ID, 0, bytes(1, BLOCK)));
    scribble(file(root, ID), 9 * BLOCK, (byte) 1);
    assertThatThrownBy(() -> read(store, ID, 9 * BLOCK, 10)).satisfies(isReason(Reason.CORRUPT));
  }

  @Test
  void writingPartOfADamagedBlockIsRefusedAndChangesNothing() throws IOException {
    apply(store, 1, write(ID, 0, bytes(1, BLOCK)));
    flip(file(root, ID), 10);
    assertThatThrownBy(() -> apply(store, 2, write(ID, 100, bytes(2, 10))))
        .satisfies(isReason(Reason.CORRUPT));
    assertThat(store.info(PG, ID).orElseThrow().version().n()).isEqualTo(1);
    apply(store, 2, write(ID, 0, bytes(2, BLOCK)));
    assertThat(read(store, ID, 0, BLOCK)).isEqualTo(bytes(2, BLOCK));
  }

  @Test
  void redoHealsATornBlock() throws IOException {
    apply(store, 1, write(ID, 0, bytes(1, BLOCK)));
    apply(store, 2, write(ID, 1000, bytes(2, 500)));
    scribble(file(root, ID), 1200, bytes(3, 100));
    redo(store, 2, write(ID, 1000, bytes(2, 500)));
    byte[] expected = bytes(1, BLOCK);
    System.arraycopy(bytes(2, 500), 0, expected, 1000, 500);
    assertThat(read(store, ID, 0, BLOCK)).isEqualTo(expected);
  }

  @Test
  void redoHealsATornTableWhichReadsRefuse() throws IOException {
    apply(store, 1, write(ID, 0, bytes(1, 3 * BLOCK)));
    store.close();
    flip(file(root, ID), ChunkMeta.OFFSET + 5);
    open();
    assertThatThrownBy(() -> read(store, ID, 0, 10)).satisfies(isReason(Reason.CORRUPT));
    assertThat(store.list(PG)).extracting(ChunkInfo::version).containsExactly(Version.NONE);
    redo(store, 2, write(ID, BLOCK + 5, bytes(2, 5)));
    assertThat(read(store, ID, 0, BLOCK)).isEqualTo(bytes(1, BLOCK));
    assertThat(read(store, ID, BLOCK + 5, 5)).isEqualTo(bytes(2, 5));
    assertThat(store.list(PG)).extracting(ChunkInfo::version).containsExactly(new Version(1, 2));
  }

  @Test
  void redoHealsAFileThatHasNothingYet() throws IOException {
    Files.createDirectories(file(root, ID).getParent());
    Files.createFile(file(root, ID));
    redo(store, 1, write(ID, 10, bytes(1, 10)));
    assertThat(read(store, ID, 10, 10)).isEqualTo(bytes(1, 10));
  }

  @Test
  void punchGivesBlocksBack() throws Exception {
    apply(store, 1, write(ID, 0, bytes(1, 1 << 20)));
    store.sync();
    long before = allocatedBytes(file(root, ID));
    apply(store, 2, new Mutation.Punch(ID, 100, (1 << 20) - 200));
    store.sync();
    assertThat(before - allocatedBytes(file(root, ID))).isEqualTo((1 << 20) - 2 * BLOCK);
    assertThat(read(store, ID, 100, (1 << 20) - 200)).isEqualTo(new byte[(1 << 20) - 200]);
    assertThat(read(store, ID, 0, 100)).isEqualTo(bytes(1, 100));
    assertThat(store.info(PG, ID).orElseThrow().blocks()).isEqualTo(2);
  }

  @Test
  void blocksOfZerosTakeNoSpaceHoweverTheyCame() throws Exception {
    apply(store, 1, write(ID, 0, new byte[1 << 20]));
    store.sync();
    assertThat(allocatedBytes(file(root, ID))).isLessThanOrEqualTo(3 * BLOCK);
    apply(store, 2, write(ID, 0, bytes(1, 1 << 20)));
    store.sync();
    long full = allocatedBytes(file(root, ID));
    // Two blocks whole, and the halves of two others, one of which has no other data.
    apply(store, 3, write(ID, 3 * BLOCK, new byte[BLOCK / 2]));
    apply(store, 4, write(ID, 3 * BLOCK + BLOCK / 2, new byte[3 * BLOCK]));
    store.sync();
    assertThat(full - allocatedBytes(file(root, ID))).isEqualTo(3 * BLOCK);
    assertThat(store.allocated(PG, ID).bytes()).isEqualTo((1 << 20) - 3 * BLOCK);
    assertThat(store.info(PG, ID).orElseThrow().blocks()).isEqualTo(256 - 3);
    assertThat(read(store, ID, 3 * BLOCK, 3 * BLOCK + BLOCK / 2))
        .isEqualTo(new byte[3 * BLOCK + BLOCK / 2]);
  }

  @Test
  void allocatedIsToldOfChunksInUseAndOfOthers() {
    assertThat(store.allocated(PG, ID)).isEqualTo(BlockSet.none());
    apply(store, 1, write(ID, BLOCK - 1, bytes(1, 2)));
    BlockSet two = BlockSet.of(new Mutation.Punch(ID, 0, 2 * BLOCK));
    assertThat(store.allocated(PG, ID)).isEqualTo(two);
    reopen();
    assertThat(store.allocated(PG, ID)).isEqualTo(two);
  }

  @Test
  void aDamagedTableSaysNothingOfWhatIsAllocated() throws IOException {
    apply(store, 1, write(ID, 0, bytes(1, BLOCK)));
    reopen();
    flip(file(root, ID), ChunkMeta.OFFSET + 1);
    assertThatThrownBy(() -> store.allocated(PG, ID)).satisfies(isReason(Reason.CORRUPT));
  }

  @Test
  void deleteUnlinks() {
    apply(store, 1, write(ID, 0, bytes(1, 10)));
    apply(store, 2, new Mutation.Delete(ID));
    apply(store, 3, new Mutation.Delete(ID));
    assertThat(file(root, ID)).doesNotExist();
    assertThat(read(store, ID, 0, 10)).isEqualTo(new byte[10]);
    store.sync();
  }

  @Test
  void equalContentHasEqualDigestHoweverItWasWritten() {
    apply(store, 1, write(ID, 0, bytes(1, 2 * BLOCK)));
    ChunkId other = new ChunkId(1, 1);
    apply(store, 2, write(other, 0, bytes(5, 8 * BLOCK)));
    apply(store, 3, write(other, 100, bytes(6, 100)));
    apply(store, 4, write(other, 0, bytes(1, 2 * BLOCK)));
    apply(store, 5, write(other, 2 * BLOCK, new byte[3 * BLOCK]));
    apply(store, 6, new Mutation.Punch(other, 5 * BLOCK, 3 * BLOCK));
    assertThat(digest(other)).isEqualTo(digest(ID));
    apply(store, 7, write(other, 6 * BLOCK, new byte[] {1}));
    assertThat(digest(other)).isNotEqualTo(digest(ID));
  }

  @Test
  void anInstalledImageIsTheSameChunk(@TempDir Path second) {
    apply(store, 1, write(ID, 100, bytes(1, 10_000)));
    apply(store, 2, write(ID, 1 << 20, bytes(2, 10_000)));
    ChunkImage image = store.image(PG, ID).orElseThrow();
    assertThat(image.extents()).extracting(Extent::offset).containsExactly(0, 1 << 20);
    assertThat(image.bytes()).isEqualTo(6 * BLOCK);
    try (FileChunkStore target = FileChunkStore.open(second)) {
      apply(target, 9, write(ID, 2 << 20, bytes(3, 5000)));
      target.install(PG, image);
      assertThat(target.info(PG, ID)).isEqualTo(store.info(PG, ID));
      assertThat(read(target, ID, 0, ChunkId.SIZE)).isEqualTo(read(store, ID, 0, ChunkId.SIZE));
      target.sync();
      target.install(PG, new ChunkImage(ID, Version.NONE, List.of()));
      assertThat(target.info(PG, ID)).isEmpty();
    }
  }

  @Test
  void listAndGroupsAreInOrderAndDropRemovesAll() {
    List<ChunkId> ids = new ArrayList<>();
    for (int i = 40; i > 0; i--) {
      ids.add(new ChunkId(i % 4, i));
      apply(store, i, write(new ChunkId(i % 4, i), 0, bytes(i, 10)));
    }
    store.apply(PG + 1, write(ID, 0, bytes(1, 1)), new Version(1, 1), ChunkStore.Redo.FIRST);
    reopen();
    assertThat(store.list(PG)).extracting(ChunkInfo::id).isEqualTo(ids.stream().sorted().toList());
    assertThat(store.groups()).containsExactly(PG, PG + 1);
    store.dropGroup(PG);
    store.sync();
    assertThat(store.list(PG)).isEmpty();
    assertThat(store.groups()).containsExactly(PG + 1);
  }

  @Test
  void syncForcesEachChangedFileOnce() {
    for (int i = 0; i < 20; i++) {
      apply(store, i, write(new ChunkId(i % 5, 0), 0, bytes(i, 10)));
    }
    int before = forces.get();
    store.sync();
    assertThat(forces.get() - before).isEqualTo(5);
    store.sync();
    assertThat(forces.get() - before).isEqualTo(5);
  }

  @Test
  void aFailedSyncIsFatal() {
    apply(store, 1, write(ID, 0, bytes(1, 10)));
    broken.set(true);
    assertThatThrownBy(() -> store.sync()).satisfies(isReason(Reason.IO));
    broken.set(false);
    assertThatThrownBy(() -> store.sync()).satisfies(isReason(Reason.IO));
    assertThatThrownBy(() -> read(store, ID, 0, 1)).satisfies(isReason(Reason.IO));
  }

  @Test
  void anInterruptedReaderDoesNotCloseTheChunkForOthers() throws Exception {
    apply(store, 1, write(ID, 0, bytes(1, 10)));
    CompletableFuture<Object> outcome = new CompletableFuture<>();
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  Thread.currentThread().interrupt();
                  try {
                    outcome.complete(read(store, ID, 0, 10));
                  } catch (RuntimeException e) {
                    outcome.complete(e);
                  }
                });
    reader.join();
    assertThat(outcome.get()).isInstanceOf(RuntimeException.class);
    assertThat(read(store, ID, 0, 10)).isEqualTo(bytes(1, 10));
    apply(store, 2, write(ID, 0, bytes(2, 10)));
    store.sync();
    assertThat(read(store, ID, 0, 10)).isEqualTo(bytes(2, 10));
  }

  @Test
  void readersAndAWriterOfOneChunkNeverSeeATornBlock() {
    byte[] ones = bytes(1, 16 * BLOCK);
    byte[] twos = bytes(2, 16 * BLOCK);
    apply(store, 1, write(ID, 0, ones));
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> reader =
        CompletableFuture.runAsync(
            () -> {
              while (!done.get()) {
                assertThat(read(store, ID, 0, 16 * BLOCK)).isIn(ones, twos);
              }
            });
    for (int i = 0; i < 300; i++) {
      apply(store, i, write(ID, 0, i % 2 == 0 ? ones : twos));
    }
    done.set(true);
    reader.join();
  }

  @Test
  void aFullDiskRefusesDataWhileDeletingWorks(@TempDir Path small) throws Exception {
    try (LoopDisk disk = LoopDisk.create(small, 100);
        FileChunkStore full = FileChunkStore.open(disk.path().resolve("chunks"))) {
      AtomicInteger written = new AtomicInteger();
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 100; i++) {
                  apply(full, i + 1, write(new ChunkId(i, 0), 0, bytes(i, 1 << 20)));
                  written.incrementAndGet();
                }
              })
          .satisfies(isReason(Reason.NO_SPACE));
      assertThat(written.get()).isBetween(40, 84);
      assertThat(full.space().usable()).isLessThan(3 << 20);
      full.sync();
      apply(full, 200, write(new ChunkId(0, 0), 0, bytes(77, 1 << 20)));
      for (int i = 0; i < 10; i++) {
        apply(full, 201 + i, new Mutation.Delete(new ChunkId(i, 0)));
        apply(full, 211 + i, new Mutation.Punch(new ChunkId(10 + i, 0), 0, ChunkId.SIZE));
      }
      full.sync();
      assertThat(full.space().usable()).isGreaterThan(15 << 20);
      apply(full, 300, write(new ChunkId(500, 0), 0, bytes(1, 1 << 20)));
    }
  }

  @Test
  void aWriteThatTheDiskCutsShortLeavesAReadableChunk(@TempDir Path small) throws Exception {
    try (LoopDisk disk = LoopDisk.create(small, 30);
        FileChunkStore full = FileChunkStore.open(disk.path().resolve("chunks"))) {
      redo(full, 1, write(ID, 0, bytes(1, 2 * BLOCK)));
      disk.fill();
      scribbleSpace(disk.path().resolve("ballast"), 5 * BLOCK);
      assertThatThrownBy(() -> redo(full, 2, write(ID, 0, bytes(2, 1 << 20))))
          .satisfies(isReason(Reason.NO_SPACE));
      assertThat(full.info(PG, ID).orElseThrow().version().n()).isEqualTo(1);
      assertThat(read(full, ID, 0, ChunkId.SIZE)).hasSize(ChunkId.SIZE);
      Files.delete(disk.path().resolve("ballast"));
      redo(full, 2, write(ID, 0, bytes(2, 1 << 20)));
      assertThat(read(full, ID, 0, 1 << 20)).isEqualTo(bytes(2, 1 << 20));
    }
  }

  private static void scribbleSpace(Path ballast, long bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(ballast, java.nio.file.StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() - bytes);
      channel.force(true);
    }
  }

  private long digest(ChunkId id) {
    return store.info(PG, id).orElseThrow().digest();
  }
}
