package org.trefoilfs.replication.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.trefoilfs.replication.journal.JournalFixture.copy;
import static org.trefoilfs.replication.journal.JournalFixture.open;
import static org.trefoilfs.replication.journal.JournalFixture.options;
import static org.trefoilfs.replication.journal.JournalFixture.prepared;
import static org.trefoilfs.replication.journal.JournalFixture.replay;
import static org.trefoilfs.replication.journal.JournalFixture.segments;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Disk;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.LoopDisk;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalFixture.Replayed;
import org.trefoilfs.replication.membership.OperationId;

class SegmentedJournalTest {
  @TempDir Path directory;

  /** Hundreds of torn tails are made here. */
  @BeforeAll
  static void warnOfDamageAlone() {
    ((Logger) LoggerFactory.getLogger(Recovery.class)).setLevel(Level.ERROR);
  }

  @Test
  void everyKindOfRecordReplaysAsItWasAppended() throws IOException {
    ChunkId id = new ChunkId(-1, 4);
    Mutation punch = new Mutation.Punch(id, 4096, 8192);
    Extent extent = new Extent(8192, ByteBuffer.wrap(new byte[4096]));
    List<JournalRecord> records =
        List.of(
            prepared(1, 333),
            new JournalRecord.Prepared(7, 1, 2, 1, OperationId.NONE, punch),
            new JournalRecord.Prepared(7, 1, 3, 2, OperationId.NONE, new Mutation.Delete(id)),
            new JournalRecord.Truncated(7, 2, 2),
            new JournalRecord.Committed(7, 2, 3),
            new JournalRecord.Installed(
                7, new ChunkImage(id, new Version(3, 9), List.of(extent, extent))),
            new JournalRecord.Patched(
                7,
                new ChunkImage(id, new Version(3, 10), List.of(extent)),
                BlockSet.of(new Mutation.Punch(id, 4096, 8192))),
            new JournalRecord.Copying(
                7, false, Optional.of(new Version(3, 10)), List.of(new Version(4, 12))),
            new JournalRecord.Copying(7, true, Optional.empty(), List.of()),
            new JournalRecord.Reset(7, 4, 10),
            new JournalRecord.Answered(7, List.of(new OperationId(3, 4), new OperationId(5, 6))));
    List<Long> positions = new ArrayList<>();
    try (SegmentedJournal journal = open(directory)) {
      records.forEach(record -> positions.add(journal.append(record)));
    }
    Replayed replayed = replay(directory);
    assertThat(replayed.records()).isEqualTo(records);
    assertThat(replayed.positions()).isEqualTo(positions);
    assertThat(replayed.report().loss()).isEqualTo(ReplayReport.Loss.NONE);
    assertThat(replay(directory).records()).as("once more, unreleased").isEqualTo(records);
  }

  @Test
  void recordsAcrossSegmentsAndReopeningsReplayInOrder() throws IOException {
    long n = 0;
    for (int opening = 0; opening < 4; opening++) {
      try (SegmentedJournal journal = open(directory)) {
        for (int i = 0; i < 20; i++) {
          journal.append(prepared(++n, 2000));
        }
      }
    }
    assertThat(replay(directory).numbers()).isEqualTo(range(1, n));
  }

  @Test
  void reopeningWithoutWritingAddsNoFiles() throws IOException {
    try (SegmentedJournal journal = open(directory)) {
      journal.append(prepared(1, 100));
    }
    for (int i = 0; i < 5; i++) {
      replay(directory);
    }
    assertThat(segments(directory)).hasSizeLessThanOrEqualTo(3);
  }

  @Test
  void aWholeChunkFitsThoughItIsLargerThanASegment() throws IOException {
    byte[] data = new byte[ChunkId.SIZE];
    new Random(1).nextBytes(data);
    Extent extent = new Extent(0, ByteBuffer.wrap(data));
    JournalRecord installed =
        new JournalRecord.Installed(
            1, new ChunkImage(new ChunkId(1, 1), new Version(1, 1), List.of(extent)));
    try (SegmentedJournal journal = open(directory)) {
      journal.append(prepared(1, 10));
      journal.append(installed);
      journal.append(prepared(2, 10));
    }
    assertThat(replay(directory).records())
        .isEqualTo(List.of(prepared(1, 10), installed, prepared(2, 10)));
  }

  @Test
  void tornTailIsDroppedAtEveryByteOfTheLastRecord() throws IOException {
    // 24 + 66 + 86 bytes: no padding, so that every byte counts.
    Path base = directory.resolve("base");
    long before;
    long after;
    try (SegmentedJournal journal = open(base)) {
      journal.append(prepared(1, 500));
      before = journal.append(prepared(2, 80));
      after = journal.append(prepared(3, 86));
    }
    assertThat(after - before).isEqualTo(24 + 66 + 86);
    for (long cut = before; cut < after; cut++) {
      Path copy = copy(base, directory.resolve("cut" + cut));
      truncate(segments(copy).getFirst(), SegmentHeader.BYTES + cut);
      Replayed replayed = replay(copy);
      assertThat(replayed.numbers()).as("cut at %s", cut).isEqualTo(List.of(1L, 2L));
      assertThat(replayed.report().droppedBytes()).isEqualTo(cut - before);
      assertThat(replayed.report().damaged()).isFalse();
    }
  }

  @Test
  void aTornRecordOverOldBytesIsDroppedAtEveryByte() throws IOException {
    Path base = directory.resolve("base");
    try (SegmentedJournal journal = open(base)) {
      for (int n = 1; n <= 30; n++) {
        journal.append(prepared(n, 1000));
      }
      journal.release(journal.end());
    }
    // What a recycled segment held before, byte for byte at the same places.
    long before;
    long after;
    try (SegmentedJournal journal = open(base)) {
      before = journal.append(prepared(100, 1000));
      after = journal.append(prepared(101, 87));
    }
    Path file = newest(base);
    long start = SegmentHeader.BYTES + before - base(file);
    byte[] old = new byte[(int) (after - before)];
    new Random(3).nextBytes(old);
    for (int kept = 0; kept < old.length - 7; kept++) {
      Path copy = copy(base, directory.resolve("kept" + kept));
      overwrite(copy.resolve(file.getFileName()), start + kept, old, kept);
      assertThat(replay(copy).numbers()).as("kept %s", kept).isEqualTo(List.of(100L));
    }
  }

  @Test
  void whatLiesBehindATornRecordNeverComesBack() throws IOException {
    long second;
    try (SegmentedJournal journal = open(directory)) {
      journal.append(prepared(1, 200));
      second = journal.append(prepared(2, 200));
      journal.append(prepared(3, 200));
      journal.append(prepared(4, 200));
    }
    // Record 2 was lost while 3 and 4, behind it, had reached the disk.
    Path file = segments(directory).getFirst();
    overwrite(file, SegmentHeader.BYTES + second - 100, new byte[] {1, 2, 3}, 0);
    try (SegmentedJournal journal = open(directory)) {
      assertThat(journal.replayReport().loss()).isEqualTo(ReplayReport.Loss.TORN_TAIL);
      assertThat(journal.replayReport().droppedBytes()).isEqualTo(3 * (second / 2));
      journal.append(prepared(5, 200));
    }
    Replayed replayed = replay(directory);
    assertThat(replayed.numbers()).isEqualTo(List.of(1L, 5L));
    assertThat(replayed.report().loss()).isEqualTo(ReplayReport.Loss.NONE);
  }

  @Test
  void aFlippedByteBeforeSyncedRecordsIsReportedAsDamage() throws IOException {
    long second = 0;
    try (SegmentedJournal journal = open(directory)) {
      for (int n = 1; n <= 60; n++) {
        long position = journal.append(prepared(n, 1000));
        second = n == 2 ? position : second;
        journal.sync(position).join();
      }
    }
    assertThat(segments(directory)).hasSizeGreaterThan(3);
    Path file = segments(directory).getFirst();
    overwrite(file, SegmentHeader.BYTES + second + 500, new byte[] {1}, 0);
    Replayed replayed = replay(directory);
    assertThat(replayed.numbers()).isEqualTo(List.of(1L, 2L));
    assertThat(replayed.report().loss()).isEqualTo(ReplayReport.Loss.DAMAGE);
    assertThat(replayed.report().droppedBytes()).isGreaterThan(57 * 1000);
    assertThat(replay(directory).numbers()).as("and stays dropped").isEqualTo(List.of(1L, 2L));
  }

  @Test
  void aFlippedByteInTheLastSegmentIsDamageWhenALaterRecordKnewOfItsSync() throws IOException {
    try (SegmentedJournal journal = open(directory)) {
      for (int n = 1; n <= 3; n++) {
        journal.sync(journal.append(prepared(n, 100))).join();
      }
    }
    overwrite(segments(directory).getFirst(), SegmentHeader.BYTES, new byte[] {1, 2}, 0);
    assertThat(replay(directory).report().damaged()).isTrue();
  }

  @Test
  void aMissingSegmentIsDamage() throws IOException {
    try (SegmentedJournal journal = open(directory)) {
      for (int n = 1; n <= 60; n++) {
        journal.sync(journal.append(prepared(n, 1000))).join();
      }
    }
    Files.delete(segments(directory).getFirst());
    assertThat(replay(directory).report().damaged()).isTrue();
  }

  @Test
  void recycledSegmentsNeverResurrectStaleRecords() throws IOException {
    Random random = new Random(seed());
    long n = 0;
    long firstKept = 1;
    for (int round = 0; round < 30; round++) {
      List<Long> positions = new ArrayList<>();
      long from = n + 1;
      try (SegmentedJournal journal = open(directory)) {
        for (int i = random.nextInt(40); i >= 0; i--) {
          positions.add(journal.append(prepared(++n, random.nextInt(3000))));
        }
        if (random.nextBoolean()) {
          int released = random.nextInt(positions.size());
          journal.release(positions.get(released));
          firstKept = from + released + 1;
        }
      }
      assertThat(replay(directory).numbers()).isEqualTo(range(firstKept, n));
    }
    assertThat(segments(directory)).as("bounded").hasSizeLessThan(70);
  }

  @Test
  void aDamagedSegmentHeaderIsReported() throws IOException {
    try (SegmentedJournal journal = open(directory)) {
      journal.append(prepared(1, 100));
    }
    overwrite(segments(directory).getFirst(), 20, new byte[] {1}, 0);
    assertThat(replay(directory).report().damaged()).isTrue();
  }

  @Test
  void aReplayThatIsRefusedLeavesTheJournalAsItWas() throws IOException {
    try (SegmentedJournal journal = open(directory)) {
      journal.append(prepared(1, 100));
    }
    assertThatThrownBy(
            () ->
                SegmentedJournal.open(
                    directory,
                    options(),
                    (record, position) -> {
                      throw new IllegalStateException("refused");
                    }))
        .hasMessage("refused");
    assertThat(replay(directory).numbers()).isEqualTo(List.of(1L));
  }

  @Test
  void manyThreadsAppendSyncAndReleaseAndNothingIsLost() throws IOException {
    AtomicLong releasedTo = new AtomicLong();
    ConcurrentSkipListMap<Long, Long> numberAt = new ConcurrentSkipListMap<>();
    try (SegmentedJournal journal =
        SegmentedJournal.open(directory, options(), (record, position) -> {})) {
      List<CompletableFuture<Void>> writers = new ArrayList<>();
      for (int writer = 0; writer < 4; writer++) {
        long first = writer * 1000L;
        writers.add(
            CompletableFuture.runAsync(
                () -> {
                  for (long n = first; n < first + 150; n++) {
                    long position = journal.append(prepared(n, (int) (n % 7) * 300));
                    numberAt.put(position, n);
                    journal.sync(position).join();
                    assertThat(journal.synced()).isGreaterThanOrEqualTo(position);
                    if (n % 20 == 0) {
                      journal.release(position);
                      releasedTo.accumulateAndGet(position, Math::max);
                    }
                  }
                }));
      }
      CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new)).join();
    }
    Replayed replayed = replay(directory);
    assertThat(replayed.numbers())
        .isEqualTo(List.copyOf(numberAt.tailMap(releasedTo.get(), false).values()));
    assertThat(replayed.numbers()).isNotEmpty();
  }

  @Test
  void releaseRecyclesFilesAndKeepsFewSpares() throws IOException {
    try (SegmentedJournal journal = open(directory)) {
      for (int n = 1; n <= 200; n++) {
        journal.append(prepared(n, 2000));
      }
      assertThat(segments(directory)).hasSizeGreaterThan(20);
      journal.release(journal.end());
      assertThat(journal.unreleased()).isZero();
      assertThat(segments(directory)).hasSizeLessThanOrEqualTo(4);
      for (int n = 1; n <= 1000; n++) {
        journal.release(journal.append(prepared(n, 2000)));
      }
      assertThat(segments(directory)).hasSizeLessThanOrEqualTo(4);
    }
    assertThat(replay(directory).records()).isEmpty();
  }

  @Test
  void positionsGoOnAfterAReleaseAndAReopening() throws IOException {
    long released;
    try (SegmentedJournal journal = open(directory)) {
      journal.append(prepared(1, 100));
      released = journal.append(prepared(2, 100));
      journal.append(prepared(3, 100));
      journal.release(released);
    }
    try (SegmentedJournal journal = open(directory)) {
      assertThat(journal.unreleased()).isEqualTo(journal.end() - released);
      assertThat(journal.synced()).isEqualTo(journal.end());
    }
    assertThat(replay(directory).numbers()).isEqualTo(List.of(3L));
  }

  @Test
  void everyoneWhoWaitsSharesTheNextSync() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    AtomicInteger rounds = new AtomicInteger();
    Disk held =
        new Disk() {
          @Override
          public void force(FileChannel file) throws IOException {
            file.force(false);
            if (rounds.incrementAndGet() == 2) {
              await(hold);
            }
          }
        };
    try (SegmentedJournal journal =
        SegmentedJournal.open(directory, options(), (record, position) -> {}, held)) {
      long before = journal.syncs();
      List<CompletableFuture<Void>> waiting = new ArrayList<>();
      waiting.add(journal.sync(journal.append(prepared(1, 10))));
      Awaitility.await().until(() -> rounds.get() == 2);
      for (int n = 2; n <= 50; n++) {
        waiting.add(journal.sync(journal.append(prepared(n, 10))));
      }
      hold.countDown();
      CompletableFuture.allOf(waiting.toArray(CompletableFuture[]::new)).join();
      assertThat(journal.syncs() - before).isEqualTo(2);
      assertThat(journal.synced()).isEqualTo(journal.end());
    }
  }

  @Test
  void aSyncCoversTheSegmentsThatWereLeft() throws IOException {
    List<FileChannel> forced = new ArrayList<>();
    Disk counting =
        new Disk() {
          @Override
          public void force(FileChannel file) throws IOException {
            synchronized (forced) {
              forced.add(file);
            }
            file.force(false);
          }
        };
    try (SegmentedJournal journal =
        SegmentedJournal.open(directory, options(), (record, position) -> {}, counting)) {
      for (int n = 1; n <= 40; n++) {
        journal.append(prepared(n, 2000));
      }
      journal.sync(journal.end()).join();
      synchronized (forced) {
        // One of them is the file of the released position.
        assertThat(forced.stream().distinct().count())
            .isGreaterThanOrEqualTo(segments(directory).size());
      }
    }
  }

  @Test
  void aFailedSyncIsFatal() throws IOException {
    AtomicInteger broken = new AtomicInteger();
    Disk failing =
        new Disk() {
          @Override
          public void force(FileChannel file) throws IOException {
            if (broken.get() > 0) {
              throw new IOException("Input/output error");
            }
          }
        };
    SegmentedJournal journal =
        SegmentedJournal.open(directory, options(), (record, position) -> {}, failing);
    long position = journal.append(prepared(1, 10));
    broken.set(1);
    assertThatThrownBy(() -> journal.sync(position).join())
        .hasCauseInstanceOf(TrefoilException.class);
    broken.set(0);
    assertThatThrownBy(() -> journal.append(prepared(2, 10))).satisfies(isReason(Reason.IO));
    assertThatThrownBy(() -> journal.sync(position).join())
        .hasCauseInstanceOf(TrefoilException.class);
    assertThatThrownBy(() -> journal.release(position)).satisfies(isReason(Reason.IO));
    journal.close();
  }

  @Test
  void aFullDiskIsNoSpaceAndTheNextAppendGoesOnWhereTheLastGoodOneEnded(@TempDir Path small)
      throws Exception {
    try (LoopDisk disk = LoopDisk.create(small, 24)) {
      Path journalDirectory = disk.path().resolve("journal");
      List<Long> numbers = new ArrayList<>();
      try (SegmentedJournal journal =
          SegmentedJournal.open(journalDirectory, options(), (record, position) -> {})) {
        journal.append(prepared(1, 100));
        numbers.add(1L);
        Path ballast = disk.fill();
        assertThatThrownBy(() -> appendUntilRefused(journal, numbers))
            .satisfies(isReason(Reason.NO_SPACE));
        Files.delete(ballast);
        long next = numbers.getLast() + 1;
        journal.append(prepared(next, 50));
        numbers.add(next);
        journal.sync(journal.end()).join();
      }
      assertThat(replay(journalDirectory).numbers()).isEqualTo(numbers);
    }
  }

  private static void appendUntilRefused(SegmentedJournal journal, List<Long> numbers) {
    for (long n = 2; n < 10_000; n++) {
      journal.append(prepared(n, 11_000));
      numbers.add(n);
    }
  }

  static Consumer<Throwable> isReason(Reason reason) {
    return failure -> assertThat(((TrefoilException) failure).reason()).isEqualTo(reason);
  }

  private static long seed() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("seed " + seed);
    return seed;
  }

  private static List<Long> range(long first, long last) {
    return LongStream.rangeClosed(first, last).boxed().toList();
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static void truncate(Path file, long size) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(size);
    }
  }

  private static void overwrite(Path file, long offset, byte[] bytes, int from) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes, from, bytes.length - from), offset);
    }
  }

  private static Path newest(Path journal) throws IOException {
    Path newest = null;
    long sequence = -1;
    for (Path file : segments(journal)) {
      try (Segment segment = Segment.open(file)) {
        if (!segment.isSpare() && segment.header().sequence() > sequence) {
          sequence = segment.header().sequence();
          newest = file;
        }
      }
    }
    return newest;
  }

  private static long base(Path file) throws IOException {
    try (Segment segment = Segment.open(file)) {
      return segment.header().base();
    }
  }
}
