package org.trefoilfs.replication.journal;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkStore.Redo;
import org.trefoilfs.replication.chunk.FileChunkStore;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.OperationId;

/** Run by hand with a directory on the disk in question: what journal and store cost there. */
final class StoreMeasurement {
  private static final int PG = 3 << 16;
  private final Path directory;

  private StoreMeasurement(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] args) throws Exception {
    StoreMeasurement measurement =
        new StoreMeasurement(Files.createTempDirectory(Path.of(args[0]), "measure"));
    measurement.journal();
    measurement.store();
  }

  private void journal() throws Exception {
    JournalOptions options = JournalOptions.standard(new Random(1)::nextLong);
    try (SegmentedJournal journal =
        SegmentedJournal.open(directory.resolve("journal"), options, (record, position) -> {})) {
      long warm = append(journal, 128 << 10, 2000);
      System.out.printf("append 128 KiB, fresh files: %d MiB/s%n", warm);
      journal.release(journal.end());
      System.out.printf("append 128 KiB, recycled: %d MiB/s%n", append(journal, 128 << 10, 1500));
      journal.release(journal.end());
      depth(journal, 1, 500);
      for (int depth : new int[] {1, 4, 16, 64}) {
        depth(journal, depth, 2000 * Math.min(depth, 8));
        journal.release(journal.end());
      }
    }
  }

  private static long append(SegmentedJournal journal, int bytes, int count) {
    JournalRecord record = record(bytes, 1);
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      journal.append(record);
    }
    return rate((long) count * bytes, start);
  }

  private static void depth(SegmentedJournal journal, int depth, int count) throws Exception {
    Semaphore slots = new Semaphore(depth);
    long[] latencies = new long[count];
    JournalRecord record = record(4096, 2);
    long syncs = journal.syncs();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      slots.acquire();
      int n = i;
      long begun = System.nanoTime();
      journal
          .sync(journal.append(record))
          .thenRun(
              () -> {
                latencies[n] = System.nanoTime() - begun;
                slots.release();
              });
    }
    slots.acquire(depth);
    double seconds = (System.nanoTime() - start) / 1e9;
    Arrays.sort(latencies);
    System.out.printf(
        "append+sync 4 KiB, depth %d: p50 %d us, p99 %d us, %.0f/s, %d syncs for %d%n",
        depth,
        latencies[count / 2] / 1000,
        latencies[count * 99 / 100] / 1000,
        count / seconds,
        journal.syncs() - syncs,
        count);
  }

  private void store() {
    try (FileChunkStore store = FileChunkStore.open(directory.resolve("chunks"))) {
      for (String run : new String[] {"new chunks", "overwriting"}) {
        long start = System.nanoTime();
        int count = 8000;
        for (int i = 0; i < count; i++) {
          Mutation write = write(new ChunkId(1, i / 32), i % 32 * (128 << 10), 128 << 10, i);
          store.apply(PG, write, new Version(1, i), Redo.FIRST);
        }
        System.out.printf("apply 128 KiB, %s: %d MiB/s%n", run, rate(count * (128L << 10), start));
        start = System.nanoTime();
        store.sync();
        System.out.printf("  sync of 250 chunks: %d ms%n", (System.nanoTime() - start) / 1_000_000);
      }
      small(store);
      reads(store);
      listing(store);
    }
  }

  private static void small(FileChunkStore store) {
    Random random = new Random(1);
    int count = 20_000;
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      ChunkId id = new ChunkId(1, random.nextInt(250));
      store.apply(
          PG, write(id, random.nextInt(1024) * 4096, 4096, i), new Version(1, i), Redo.FIRST);
    }
    double micros = (System.nanoTime() - start) / 1e3 / count;
    System.out.printf("apply 4 KiB at random: %.1f us each%n", micros);
    start = System.nanoTime();
    store.sync();
    System.out.printf("  sync: %d ms%n", (System.nanoTime() - start) / 1_000_000);
  }

  private static void reads(FileChunkStore store) {
    for (int size : new int[] {4096, 128 << 10, 1 << 20}) {
      int count = (int) Math.min(50_000, (2L << 30) / size);
      long start = System.nanoTime();
      for (int i = 0; i < count; i++) {
        store.read(PG, new ChunkId(1, i % 250), (int) ((long) i * size % ChunkId.SIZE), size);
      }
      System.out.printf(
          "read %d KiB, cached: %d MiB/s, %.1f us each%n",
          size >> 10, rate((long) count * size, start), (System.nanoTime() - start) / 1e3 / count);
    }
  }

  private static void listing(FileChunkStore store) {
    for (int i = 0; i < 4000; i++) {
      store.apply(PG + 1, write(new ChunkId(9, i), 0, 4096, i), new Version(1, i), Redo.FIRST);
    }
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      int count = store.list(PG + 1).size();
      System.out.printf(
          "list of %d chunks: %d ms%n", count, (System.nanoTime() - start) / 1_000_000);
    }
  }

  private static long rate(long bytes, long start) {
    return (long) (bytes / 1048576.0 / ((System.nanoTime() - start) / 1e9));
  }

  private static JournalRecord record(int bytes, int seed) {
    return new JournalRecord.Prepared(
        PG, 1, 1, 1, OperationId.NONE, write(new ChunkId(1, 1), 0, bytes, seed));
  }

  private static final byte[] DATA = new byte[1 << 20];

  static {
    new Random(5).nextBytes(DATA);
  }

  private static Mutation write(ChunkId id, int offset, int bytes, int seed) {
    return new Mutation.Write(id, offset, ByteBuffer.wrap(DATA, seed % 512, bytes));
  }
}
