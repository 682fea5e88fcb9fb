package org.trefoilfs.replication.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
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
    public Supplier<CompletableFuture<?>> write(long inode, long offset, ByteBuffer data) {
      return () -> {
        calls.add("write " + inode + " " + offset + "+" + data.remaining());
        if (failures > 0) {
          failures--;
          throw new TrefoilException(Reason.UNAVAILABLE, "no replica");
        }
        data.duplicate().get(files[(int) inode], (int) offset, data.remaining());
        return answer;
      };
    }

    @Override
    public CompletableFuture<?> tell(Spool.Report report) {
      calls.add("tell " + report.inode() + " " + report.end());
      int file = (int) report.inode();
      sizes[file] = Math.max(sizes[file], report.end());
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<?> pause(Duration pause) {
      return CompletableFuture.completedFuture(null);
    }
  }

  private Optional<Long> offer(long inode, long offset, String text) {
    return spool.offer(inode, offset, ByteBuffer.wrap(text.getBytes()), clock.nanos, false);
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
            "write 1 0+2",
            "tell 1 2");
    assertThat(spool.isEmpty()).isTrue();
  }

  @Test
  void aBatchStaysInItsChunk() {
    long end = ChunkId.SIZE - 2;
    limits = new SpoolLimits(Duration.ofSeconds(2), 64 << 20);
    offer(1, end, "aa");
    offer(1, end + 2, "bb");
    assertThat(spool.next().orElseThrow().data().remaining()).isEqualTo(2);
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
        .containsExactly("write 1 0+4", "write 1 4+4", "tell 1 8", "write 1 2+2", "tell 1 4");
  }

  @Test
  void nothingIsTakenBeyondTheBounds() {
    limits = new SpoolLimits(Duration.ofSeconds(2), 1 << 20);
    assertThat(spool.offer(1, 0, ByteBuffer.allocate(2 << 20), 0, false))
        .as("a single write fits into an empty window")
        .isPresent();
    assertThat(offer(1, 0, "x")).isEmpty();
    CompletableFuture<Void> room = spool.room();
    assertThat(room).isNotDone();
    replicas.calls.clear();
    spool.shipped(spool.next().orElseThrow());
    assertThat(offer(1, 0, "x")).as("shipped and not told still counts").isEmpty();
    spool.told(spool.untold().orElseThrow());
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
      spool.shipped(spool.next().orElseThrow());
      spool.told(spool.untold().orElseThrow());
    }
    assertThat(worst).isLessThan(Duration.ofMillis(2200).toNanos());
    assertThat(taken).as("as many as could be shipped").isGreaterThan(200);
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
    kept.offer(1, 0, ByteBuffer.wrap("ab".getBytes()), 0, false);
    kept.offer(1, 2, ByteBuffer.wrap("cd".getBytes()), 0, false);
    assertThatThrownBy(() -> kept.offer(1, 4, ByteBuffer.wrap("ef".getBytes()), 0, false))
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

  /** Random writes, reads and shipping against a plain array; and what is seen is a prefix. */
  @Test
  void readsSeeAllAndTheReplicasHoldAPrefix() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[][] model = new byte[4][FILE];
    List<byte[][]> states = new ArrayList<>();
    states.add(copy(model));
    for (int i = 0; i < 3000; i++) {
      int inode = random.nextInt(1, 4);
      int offset = random.nextInt(200);
      byte[] data = new byte[random.nextInt(1, 50)];
      random.nextBytes(data);
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          assertThat(spool.offer(inode, offset, ByteBuffer.wrap(data), 0, false)).isPresent();
          System.arraycopy(data, 0, model[inode], offset, data.length);
          states.add(copy(model));
        }
        case 2 -> {
          ByteBuffer read = ByteBuffer.allocate(data.length);
          read.put(0, replicas.files[inode], offset, data.length);
          assertThat(spool.overlay(inode, offset, read, spool.ships(inode))).isTrue();
          assertThat(read.array())
              .as("seed %d step %d", seed, i)
              .isEqualTo(java.util.Arrays.copyOfRange(model[inode], offset, offset + data.length));
        }
        default -> {
          shipSome(random);
          assertThat(states)
              .as("seed %d step %d: the replicas hold what was once so", seed, i)
              .anyMatch(state -> java.util.Arrays.deepEquals(state, replicas.files));
        }
      }
      if (states.size() > 400) {
        shipper.wake();
        states.clear();
        states.add(copy(model));
      }
    }
    shipper.wake();
    assertThat(replicas.files).isDeepEqualTo(model);
  }

  private void shipSome(Random random) {
    for (int left = random.nextInt(4); left > 0; left--) {
      spool.untold().ifPresent(spool::told);
      spool
          .next()
          .ifPresent(
              batch -> {
                replicas.write(batch.inode(), batch.offset(), batch.data()).get();
                spool.shipped(batch);
              });
    }
    spool.untold().ifPresent(spool::told);
  }

  private static byte[][] copy(byte[][] files) {
    return java.util.Arrays.stream(files).map(byte[]::clone).toArray(byte[][]::new);
  }

  @Test
  void filesKeepWhatWasNotShipped(@TempDir Path directory) throws Exception {
    SpoolFiles files = SpoolFiles.open(directory, 200);
    Spool kept = new Spool(files, clock, () -> limits);
    Shipper ships = new Shipper(kept, replicas);
    for (int i = 0; i < 20; i++) {
      kept.offer(1, i * 40L, ByteBuffer.wrap(("%-40d".formatted(i)).getBytes()), i, i % 2 == 0);
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
    resumed.offer(1, 800, ByteBuffer.wrap("new".getBytes()), 0, false);
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
