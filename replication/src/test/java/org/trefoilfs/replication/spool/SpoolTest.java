package org.trefoilfs.replication.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.spool.Spool.Batch;
import org.trefoilfs.replication.spool.Spool.Report;
import org.trefoilfs.replication.spool.Spool.Work;

class SpoolTest {
  private static final int FILE = 64 << 10;

  private final Clock clock = new Clock();
  private SpoolLimits limits = new SpoolLimits(Duration.ofSeconds(2), 1 << 20);
  private final Spool spool = new Spool(SpoolStore.MEMORY, clock, () -> limits);
  private final Replicas replicas = new Replicas();
  private final Shipper shipper = new Shipper(spool, replicas);

  private static final class Clock implements TimeSource {
    long nanos;

    @Override
    public long nanoTime() {
      return nanos;
    }

    @Override
    public long wallNanos() {
      return nanos;
    }
  }

  /** Answers when told to; fails when told to. */
  private static final class Replicas implements Shipper.Sink {
    final byte[][] files = new byte[4][FILE];
    final long[] sizes = new long[4];
    final List<String> calls = new ArrayList<>();
    CompletableFuture<Void> answer = CompletableFuture.completedFuture(null);
    int failures;

    @Override
    public Supplier<CompletableFuture<?>> write(Batch batch) {
      return () -> {
        calls.add("write " + batch.inode() + " " + batch.offset() + "+" + batch.data().remaining());
        if (failures > 0) {
          failures--;
          throw new TrefoilException(Reason.UNAVAILABLE, "no replica");
        }
        apply(batch);
        return answer;
      };
    }

    void apply(Batch batch) {
      ByteBuffer data = batch.data().duplicate();
      data.get(files[(int) batch.inode()], (int) batch.offset(), data.remaining());
    }

    @Override
    public CompletableFuture<?> tell(Report report) {
      calls.add(
          report.ahead()
              ? "times " + report.inode() + " " + report.wallNanos()
              : "tell " + report.inode() + " " + report.end());
      apply(report);
      return CompletableFuture.completedFuture(null);
    }

    void apply(Report report) {
      int file = (int) report.inode();
      sizes[file] = Math.max(sizes[file], report.end());
    }

    /** What others see: nothing behind a file's end. */
    byte[][] seen() {
      byte[][] seen = new byte[files.length][FILE];
      for (int file = 0; file < files.length; file++) {
        System.arraycopy(files[file], 0, seen[file], 0, (int) sizes[file]);
      }
      return seen;
    }

    @Override
    public CompletableFuture<?> pause(Duration pause) {
      return CompletableFuture.completedFuture(null);
    }
  }

  private Optional<Long> offer(long inode, long offset, String text) {
    return spool.offer(
        inode,
        replicas.sizes[(int) inode],
        offset,
        ByteBuffer.wrap(text.getBytes()),
        clock.nanos,
        false);
  }

  private Batch batch() {
    return (Batch) spool.next().orElseThrow();
  }

  private Report report() {
    return (Report) spool.next().orElseThrow();
  }

  @Test
  void whatTouchesGoesTogetherAndInOrder() {
    replicas.answer = new CompletableFuture<>();
    offer(1, 0, "aa");
    shipper.wake();
    offer(1, 2, "bb");
    offer(1, 4, "cc");
    offer(2, 0, "dd");
    offer(1, 0, "ee");
    replicas.answer.complete(null);
    assertThat(replicas.calls)
        .containsExactly(
            "write 1 0+2",
            "write 1 2+4",
            "tell 1 6",
            "write 2 0+2",
            "tell 2 2",
            "times 1 0",
            "write 1 0+2");
    assertThat(spool.isEmpty()).isTrue();
  }

  @Test
  void aBatchStaysInItsChunk() {
    long end = ChunkId.SIZE - 2;
    limits = new SpoolLimits(Duration.ofSeconds(2), 64 << 20);
    offer(1, end, "aa");
    offer(1, end + 2, "bb");
    assertThat(batch().data().remaining()).isEqualTo(2);
  }

  @Test
  void whatOverwritesIsNotSeenBeforeTheSizeOfWhatWasThereBefore() {
    replicas.answer = new CompletableFuture<>();
    offer(1, 0, "aaaa");
    shipper.wake();
    offer(1, 4, "bbbb");
    offer(1, 2, "cc");
    replicas.answer.complete(null);
    assertThat(replicas.calls)
        .containsExactly("write 1 0+4", "write 1 4+4", "tell 1 8", "times 1 0", "write 1 2+2");
  }

  @Test
  void whatIsBehindTheEndIsUnderWayTogetherAndSeenAtOnce() {
    replicas.answer = new CompletableFuture<>();
    for (int i = 0; i < 6; i++) {
      offer(1, 10 * i, "ab");
    }
    shipper.wake();
    assertThat(replicas.calls)
        .containsExactly("write 1 0+2", "write 1 10+2", "write 1 20+2", "write 1 30+2");
    CompletableFuture<Void> gate = replicas.answer;
    replicas.answer = CompletableFuture.completedFuture(null);
    gate.complete(null);
    assertThat(replicas.calls.subList(4, replicas.calls.size()))
        .containsExactly("write 1 40+2", "write 1 50+2", "tell 1 52");
    assertThat(spool.isEmpty()).isTrue();
  }

  @Test
  void sizesAreToldInTheOrderOfTheWritesWhicheverArriveFirst() {
    limits = new SpoolLimits(Duration.ofSeconds(2), 64 << 20);
    offer(1, 0, "aa");
    offer(1, 10, "bb");
    Batch first = batch();
    Batch second = batch();
    spool.shipped(second);
    assertThat(spool.next()).as("the first has not arrived").isEmpty();
    CompletableFuture<Void> drained = spool.drained(1);
    spool.shipped(first);
    Report report = report();
    assertThat(report.end()).isEqualTo(12);
    offer(1, 20, "cc");
    assertThat(batch().offset()).as("ships while the size is told").isEqualTo(20);
    spool.told(report);
    assertThat(drained).isDone();
    assertThat(spool.holds(1)).isTrue();
  }

  @Test
  void whatIsSeenGoesAloneAndItsTimesAreToldBeforeForAllThatWait() {
    replicas.sizes[1] = 100;
    replicas.answer = new CompletableFuture<>();
    for (int i = 0; i < 4; i++) {
      clock.nanos = i;
      offer(1, 10 * i, "ab");
    }
    shipper.wake();
    assertThat(replicas.calls).containsExactly("times 1 3", "write 1 0+2");
    clock.nanos = 7;
    offer(1, 32, "cd");
    CompletableFuture<Void> gate = replicas.answer;
    replicas.answer = CompletableFuture.completedFuture(null);
    gate.complete(null);
    assertThat(replicas.calls.subList(2, replicas.calls.size()))
        .as("a later write does not go with one whose time was told before")
        .containsExactly(
            "write 1 10+2", "write 1 20+2", "write 1 30+2", "times 1 7", "write 1 32+2");
    assertThat(spool.isEmpty()).isTrue();
  }

  @Test
  void aWriteAcrossTheEndIsSeenInPartAndGoesAsOneThatIs() {
    replicas.sizes[1] = 4;
    replicas.sizes[2] = 4;
    offer(2, 0, "aa");
    offer(1, 2, "bbbb");
    offer(1, 6, "cc");
    shipper.wake();
    assertThat(replicas.calls)
        .containsExactly("times 2 0", "write 2 0+2", "times 1 0", "write 1 2+6", "tell 1 8");
  }

  @Test
  void setIdBitsGoBeforeTheBytesOfWhoeverMayNotKeepThem() {
    replicas.sizes[1] = 100;
    spool.offer(1, 100, 0, ByteBuffer.wrap(new byte[2]), 0, false);
    spool.offer(1, 100, 2, ByteBuffer.wrap(new byte[2]), 0, true);
    assertThat(report().clearsSetId()).isTrue();
  }

  @Test
  void nothingIsTakenBeyondTheBounds() {
    limits = new SpoolLimits(Duration.ofSeconds(2), 1 << 20);
    assertThat(spool.offer(1, 0, 0, ByteBuffer.allocate(2 << 20), 0, false))
        .as("a single write fits into an empty window")
        .isPresent();
    assertThat(offer(1, 0, "x")).isEmpty();
    CompletableFuture<Void> room = spool.room();
    assertThat(room).isNotDone();
    replicas.calls.clear();
    spool.shipped(batch());
    assertThat(offer(1, 0, "x")).as("shipped and not told still counts").isEmpty();
    spool.told(report());
    assertThat(room).isDone();
    assertThat(offer(1, 0, "x")).isPresent();
    clock.nanos += Duration.ofSeconds(2).toNanos();
    assertThat(offer(1, 0, "y")).isPresent();
    clock.nanos++;
    assertThat(offer(1, 0, "z")).as("the oldest waits for more than 2 s").isEmpty();
    assertThat(spool.window().nanos()).isEqualTo(Duration.ofSeconds(2).toNanos() + 1);
    assertThat(spool.window().worstBytes()).isEqualTo(2 << 20);
  }

  @Test
  void noMoreIsTakenThanCanBeShippedWithinTheBound() {
    long taken = 0;
    long worst = 0;
    for (int step = 0; step < 200; step++) {
      for (int i = 0; i < 15 && offer(1, 20L * i, "not touching").isPresent(); i++) {
        taken++;
      }
      clock.nanos += Duration.ofMillis(100).toNanos();
      worst = Math.max(worst, spool.window().nanos());
      shipOne();
    }
    assertThat(worst).isLessThan(Duration.ofMillis(2200).toNanos());
    assertThat(taken).as("as many as could be shipped").isGreaterThan(200);
  }

  private void shipOne() {
    while (true) {
      switch (spool.next().orElseThrow()) {
        case Report report -> spool.told(report);
        case Batch batch -> {
          spool.shipped(batch);
          return;
        }
      }
    }
  }

  @Test
  void drainsWaitForTheirWritesAlone() {
    replicas.answer = new CompletableFuture<>();
    offer(1, 0, "a");
    CompletableFuture<Void> first = spool.drained(1);
    offer(2, 0, "b");
    CompletableFuture<Void> all = spool.drained();
    assertThat(spool.drained(3)).isDone();
    shipper.wake();
    CompletableFuture<Void> gate = replicas.answer;
    replicas.answer = new CompletableFuture<>();
    gate.complete(null);
    assertThat(first).isDone();
    assertThat(all).isNotDone();
    spool.fail(new TrefoilException(Reason.IO, "evicted"));
    assertThat(all).isCompletedExceptionally();
    assertThatThrownBy(() -> offer(1, 0, "c")).hasMessage("evicted");
    assertThat(spool.ranges()).containsExactly(new SpooledRange(2, 0, 1));
  }

  @Test
  void whatFailsIsTriedAgain() {
    replicas.failures = 3;
    offer(1, 0, "a");
    shipper.wake();
    assertThat(replicas.calls).hasSize(5).endsWith("write 1 0+1", "tell 1 1");
    assertThat(spool.isEmpty()).isTrue();
  }

  @Test
  void aStoreThatIsFullHoldsShippingUpForNobody() {
    SpoolStore full =
        new SpoolStore() {
          @Override
          public void append(SpooledWrite write) {
            if (write.number() > 2) {
              throw new TrefoilException(Reason.NO_SPACE, "full");
            }
          }

          @Override
          public void shipped(long number) {
            throw new TrefoilException(Reason.NO_SPACE, "full");
          }

          @Override
          public void close() {}
        };
    Spool kept = new Spool(full, clock, () -> limits);
    Shipper ships = new Shipper(kept, replicas);
    kept.offer(1, 0, 0, ByteBuffer.wrap("ab".getBytes()), 0, false);
    kept.offer(1, 0, 2, ByteBuffer.wrap("cd".getBytes()), 0, false);
    assertThatThrownBy(() -> kept.offer(1, 0, 4, ByteBuffer.wrap("ef".getBytes()), 0, false))
        .hasMessage("full");
    ships.wake();
    assertThat(kept.isEmpty()).isTrue();
    assertThat(replicas.sizes[1]).as("what was refused was not kept").isEqualTo(4);
  }

  @Test
  void aReaderThatRacesWithShippingIsToldSo() {
    offer(1, 0, "ab");
    long before = spool.ships(1);
    ByteBuffer target = ByteBuffer.wrap(".....".getBytes());
    assertThat(spool.overlay(1, 0, target, before)).isTrue();
    assertThat(new String(target.array())).isEqualTo("ab...");
    shipper.wake();
    offer(1, 0, "cd");
    assertThat(spool.overlay(1, 0, target, before)).isFalse();
    assertThat(spool.overlay(1, 1, target, spool.ships(1))).isTrue();
    assertThat(new String(target.array())).isEqualTo("db...");
  }

  /** All files after a write to one of them. */
  private record State(byte[][] files, int inode, int offset, int end) {}

  /** Of the last write, across the file's end, what is behind that may be missing. */
  private boolean isSeen(State state) {
    byte[][] expected = copy(state.files());
    int size = (int) replicas.sizes[state.inode()];
    if (state.offset() < size && size < state.end()) {
      Arrays.fill(expected[state.inode()], size, state.end(), (byte) 0);
    }
    return Arrays.deepEquals(expected, replicas.seen());
  }

  /** Random writes, reads and shipping against a plain array; and what is seen is a prefix. */
  @Test
  void readsSeeAllAndTheReplicasHoldAPrefix() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[][] model = new byte[4][FILE];
    List<State> states = new ArrayList<>();
    List<Work> underWay = new ArrayList<>();
    states.add(new State(copy(model), 0, 0, 0));
    for (int i = 0; i < 3000; i++) {
      int inode = random.nextInt(1, 4);
      int offset = random.nextInt(200);
      byte[] data = new byte[random.nextInt(1, 50)];
      random.nextBytes(data);
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          long size = replicas.sizes[inode];
          assertThat(spool.offer(inode, size, offset, ByteBuffer.wrap(data), 0, false)).isPresent();
          System.arraycopy(data, 0, model[inode], offset, data.length);
          states.add(new State(copy(model), inode, offset, offset + data.length));
        }
        case 2 -> {
          ByteBuffer read = ByteBuffer.allocate(data.length);
          read.put(0, replicas.files[inode], offset, data.length);
          assertThat(spool.overlay(inode, offset, read, spool.ships(inode))).isTrue();
          assertThat(read.array())
              .as("seed %d step %d", seed, i)
              .isEqualTo(Arrays.copyOfRange(model[inode], offset, offset + data.length));
        }
        default -> {
          shipSome(random, underWay);
          assertThat(states)
              .as("seed %d step %d: others see what was once so", seed, i)
              .anyMatch(this::isSeen);
        }
      }
      if (states.size() > 400) {
        shipAll(random, underWay);
        states.clear();
        states.add(new State(copy(model), 0, 0, 0));
      }
    }
    shipAll(random, underWay);
    assertThat(replicas.files).isDeepEqualTo(model);
    assertThat(replicas.seen()).isDeepEqualTo(model);
  }

  /** Takes up what may go, and finishes some of it in whatever order. */
  private void shipSome(Random random, List<Work> underWay) {
    for (int left = random.nextInt(6); left > 0; left--) {
      spool.next().ifPresent(underWay::add);
      if (!underWay.isEmpty() && random.nextBoolean()) {
        switch (underWay.remove(random.nextInt(underWay.size()))) {
          case Report report -> {
            replicas.apply(report);
            spool.told(report);
          }
          case Batch batch -> {
            replicas.apply(batch);
            spool.shipped(batch);
          }
        }
      }
    }
  }

  private void shipAll(Random random, List<Work> underWay) {
    while (!spool.isEmpty()) {
      shipSome(random, underWay);
    }
  }

  private static byte[][] copy(byte[][] files) {
    return Arrays.stream(files).map(byte[]::clone).toArray(byte[][]::new);
  }

  @Test
  void filesKeepWhatWasNotShipped(@TempDir Path directory) throws Exception {
    SpoolFiles files = SpoolFiles.open(directory, 200);
    Spool kept = new Spool(files, clock, () -> limits);
    Shipper ships = new Shipper(kept, replicas);
    for (int i = 0; i < 20; i++) {
      kept.offer(1, 0, i * 40L, ByteBuffer.wrap(("%-40d".formatted(i)).getBytes()), i, i % 2 == 0);
      if (i == 9) {
        ships.wake();
      }
    }
    List<SpooledWrite> left = SpoolFiles.read(directory);
    assertThat(left).extracting(SpooledWrite::number).first().isEqualTo(11L);
    assertThat(left).hasSize(10);
    assertThat(left.get(3).data()).isEqualTo(ByteBuffer.wrap("%-40d".formatted(13).getBytes()));
    assertThat(left.get(3).clearsSetId()).isFalse();
    assertThat(left.get(4).wallNanos()).isEqualTo(14);

    Path last = last(directory);
    Files.write(last, new byte[] {0, 0, 1, 0, 7}, StandardOpenOption.APPEND);
    SpoolFiles again = SpoolFiles.open(directory, 200);
    Spool resumed = new Spool(again, clock, () -> limits);
    SpoolFiles.read(directory).forEach(resumed::recovered);
    assertThat(resumed.window().bytes()).isEqualTo(400);
    resumed.sized(1, replicas.sizes[1]);
    resumed.offer(1, 0, 800, ByteBuffer.wrap("new".getBytes()), 0, false);
    assertThat(SpoolFiles.read(directory)).hasSize(11);
    new Shipper(resumed, replicas).wake();
    assertThat(SpoolFiles.read(directory)).isEmpty();
    assertThat(new String(replicas.files[1], 0, 803)).startsWith("0 ").endsWith("new");
    again.close();
  }

  private static Path last(Path directory) throws Exception {
    try (var list = Files.list(directory)) {
      return list.sorted().toList().getLast();
    }
  }
}
