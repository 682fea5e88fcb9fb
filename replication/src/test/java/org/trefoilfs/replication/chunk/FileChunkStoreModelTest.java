package org.trefoilfs.replication.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.chunk.ChunkStore.Redo;

/** Random mutations against arrays in memory; a failure replays with {@code -Dseed=}. */
class FileChunkStoreModelTest {
  private static final int CHUNKS = 6;

  /** Fewer than there are chunks, so that files are closed and opened all the time. */
  private static final int OPEN_FILES = 3;

  @TempDir Path directory;

  @Test
  void holdsWhatTheReferenceHolds() {
    Random random = new Random(ChunkFixture.seed());
    ReferenceStore reference = new ReferenceStore();
    long n = 0;
    for (int opening = 0; opening < 4; opening++) {
      try (FileChunkStore store = FileChunkStore.open(directory, OPEN_FILES, Disk.REAL)) {
        for (int i = 0; i < 150; i++) {
          step(store, reference, random, ++n);
        }
        compareAll(store, reference);
      }
    }
    assertThat(StoreCheck.check(directory, line -> assertThat(line).isNull()).damaged()).isZero();
  }

  @Test
  void redoFromAnyPointGivesTheSameStore() throws Exception {
    Random random = new Random(ChunkFixture.seed());
    for (int round = 0; round < 4; round++) {
      Path root = directory.resolve("round" + round);
      ReferenceStore reference = new ReferenceStore();
      List<Mutation> journal = new ArrayList<>();
      int synced = random.nextInt(60);
      try (FileChunkStore store = FileChunkStore.open(root)) {
        for (int i = 0; i < 80; i++) {
          Mutation mutation = mutation(random);
          journal.add(mutation);
          store.apply(ChunkFixture.PG, mutation, new Version(1, i + 1), Redo.FIRST);
          reference.apply(mutation, new Version(1, i + 1));
        }
      }
      tear(root, journal.subList(synced, 80), random);
      try (FileChunkStore store = FileChunkStore.open(root)) {
        for (int i = synced; i < 80; i++) {
          store.apply(ChunkFixture.PG, journal.get(i), new Version(1, i + 1), Redo.REDO);
        }
        compareAll(store, reference);
      }
    }
  }

  /** Damages, within what the mutations wrote, data and tables, as a loss of power may. */
  private static void tear(Path root, List<Mutation> unsynced, Random random) throws Exception {
    for (Mutation mutation : unsynced) {
      if (!ChunkFixture.exists(root, mutation.chunk()) || random.nextBoolean()) {
        continue;
      }
      Path file = ChunkFixture.file(root, mutation.chunk());
      if (mutation instanceof Mutation.Write write && write.data().remaining() > 0) {
        int at = write.offset() + random.nextInt(write.data().remaining());
        ChunkFixture.scribble(file, at, (byte) random.nextInt());
        if (random.nextInt(4) == 0) {
          ChunkFixture.flip(file, ChunkMeta.OFFSET + random.nextInt(ChunkMeta.BYTES));
        }
      }
    }
  }

  private static void step(FileChunkStore store, ReferenceStore reference, Random random, long n) {
    ChunkId id = id(random);
    switch (random.nextInt(12)) {
      case 0 -> store.sync();
      case 1 -> store.image(ChunkFixture.PG, id).ifPresent(i -> store.install(ChunkFixture.PG, i));
      case 2, 3 -> {
        int offset = random.nextInt(ChunkId.SIZE);
        int length = random.nextInt(Math.min(100_000, ChunkId.SIZE - offset + 1));
        assertThat(ChunkFixture.read(store, id, offset, length))
            .isEqualTo(reference.read(id, offset, length));
      }
      default -> {
        Mutation mutation = mutation(random);
        ChunkFixture.apply(store, n, mutation);
        reference.apply(mutation, new Version(1, n));
      }
    }
  }

  private static Mutation mutation(Random random) {
    ChunkId id = id(random);
    int offset = align(random, random.nextInt(ChunkId.SIZE));
    int limit = random.nextInt(3) == 0 ? ChunkId.SIZE : 30_000;
    int length = align(random, random.nextInt(Math.min(limit, ChunkId.SIZE - offset) + 1));
    return switch (random.nextInt(20)) {
      case 0 -> new Mutation.Delete(id);
      case 1, 2, 3, 4, 5 -> new Mutation.Punch(id, offset, length);
      case 6, 7 -> ChunkFixture.write(id, offset, new byte[length]);
      default -> ChunkFixture.write(id, offset, ChunkFixture.bytes(random.nextLong(), length));
    };
  }

  private static int align(Random random, int value) {
    return random.nextBoolean() ? value : value & -ChunkId.BLOCK;
  }

  private static ChunkId id(Random random) {
    return new ChunkId(0xabcL << 52 | random.nextInt(2), random.nextInt(CHUNKS / 2));
  }

  private static void compareAll(FileChunkStore store, ReferenceStore reference) {
    Map<ChunkId, Version> listed = new TreeMap<>();
    for (ChunkInfo info : store.list(ChunkFixture.PG)) {
      listed.put(info.id(), info.version());
      assertThat(store.info(ChunkFixture.PG, info.id())).contains(info);
      ByteBuffer whole = store.read(ChunkFixture.PG, info.id(), 0, ChunkId.SIZE);
      assertThat(whole).isEqualTo(ByteBuffer.wrap(reference.read(info.id(), 0, ChunkId.SIZE)));
      assertThat(store.allocated(ChunkFixture.PG, info.id()))
          .isEqualTo(reference.allocated(info.id()));
    }
    assertThat(listed).isEqualTo(reference.versions());
  }
}
