package org.trefoilfs.replication.statelog.rocks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

@Timeout(30)
class RocksStateTest {
  private static final byte MODULE = 3;
  @TempDir Path directory;

  @Test
  void aCommandReadsItsOwnWritesAlsoInScans() {
    try (RocksState state = RocksState.open(directory.resolve("db"))) {
      state.apply(MODULE, keys -> put(keys, "a/1", "old", "a/2", "old", "b/1", "other"), at(0));
      state.apply(
          MODULE,
          keys -> {
            put(keys, "a/2", "new", "a/3", "new");
            keys.delete(bytes("a/1"));
            assertThat(keys.get(bytes("a/1"))).isNull();
            assertThat(scan(keys, "a/", "a/")).containsExactly("a/2=new", "a/3=new");
            return new byte[0];
          },
          at(1));
      state.read(
          MODULE,
          keys -> {
            assertThat(scan(keys, "a/", "a/3")).containsExactly("a/3=new");
            assertThat(scan(keys, "", "")).containsExactly("a/2=new", "a/3=new", "b/1=other");
            assertThat(scan(keys, "b/", "a")).containsExactly("b/1=other");
            return 0;
          });
    }
  }

  @Test
  void aCommandMayDeleteWhatItScans() {
    try (RocksState state = RocksState.open(directory.resolve("db"))) {
      state.apply(
          MODULE,
          keys -> {
            for (int i = 0; i < 1000; i++) {
              put(keys, "k/%04d".formatted(i), "x");
            }
            return new byte[0];
          },
          at(0));
      state.apply(
          MODULE,
          keys -> {
            keys.scan(
                bytes("k/"),
                bytes("k/"),
                (key, value) -> {
                  keys.delete(key);
                  return true;
                });
            return new byte[0];
          },
          at(1));
      assertThat(state.<List<String>>read(MODULE, keys -> scan(keys, "", ""))).isEmpty();
    }
  }

  @Test
  void modulesDoNotSeeEachOthersKeys() {
    try (RocksState state = RocksState.open(directory.resolve("db"))) {
      state.apply((byte) 1, keys -> put(keys, "k", "one"), at(0));
      state.apply((byte) -1, keys -> put(keys, "k", "last"), at(1));
      assertThat(state.<List<String>>read((byte) 1, keys -> scan(keys, "", "")))
          .containsExactly("k=one");
      assertThat(state.<List<String>>read((byte) -1, keys -> scan(keys, "", "")))
          .containsExactly("k=last");
    }
  }

  @Test
  void aRefusedCommandLeavesOnlyItsPosition() {
    Path db = directory.resolve("db");
    try (RocksState state = RocksState.open(db)) {
      assertThatThrownBy(
              () ->
                  state.apply(
                      MODULE,
                      keys -> {
                        put(keys, "a", "1");
                        throw new TrefoilException(Reason.EXISTS, "refused");
                      },
                      at(5)))
          .isInstanceOf(TrefoilException.class);
    }
    try (RocksState state = RocksState.open(db)) {
      assertThat(state.applied()).isEqualTo(at(5));
      assertThat(state.<List<String>>read(MODULE, keys -> scan(keys, "", ""))).isEmpty();
    }
  }

  @Test
  void aKilledProcessLeavesAllThatItApplied() throws IOException {
    try (RocksState state = RocksState.open(leftAfter(100))) {
      assertThat(state.applied()).isEqualTo(at(99));
      assertThat(state.<List<String>>read(MODULE, keys -> scan(keys, "", "")))
          .containsExactly("k=99");
    }
  }

  /** As a loss of power does, which leaves of an unsynced file what the kernel had written. */
  @Test
  void whatIsTornOffIsAWholeNumberOfCommands() throws IOException {
    Path whole = leftAfter(100);
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    long least = Long.MAX_VALUE;
    for (int cut = 0; cut < 20; cut++) {
      Path torn = directory.resolve("torn-" + cut);
      copy(whole, torn);
      for (Path log : logs(torn)) {
        try (FileChannel file = FileChannel.open(log, StandardOpenOption.WRITE)) {
          file.truncate(random.nextLong(file.size() + 1));
        }
      }
      try (RocksState state = RocksState.open(torn)) {
        long last = state.applied().index();
        least = Math.min(least, last);
        assertThat(state.<List<String>>read(MODULE, keys -> scan(keys, "", "")))
            .as("seed %d, cut %d", seed, cut)
            .isEqualTo(last < 0 ? List.of() : List.of("k=" + last));
      }
    }
    assertThat(least).as("something was torn off").isLessThan(99);
  }

  /** What a process leaves that is killed after so many commands, each of which sets one key. */
  private Path leftAfter(int commands) throws IOException {
    Path db = directory.resolve("db");
    Path left = directory.resolve("left");
    try (RocksState state = RocksState.open(db)) {
      for (int i = 0; i < commands; i++) {
        String value = Integer.toString(i);
        state.apply(MODULE, keys -> put(keys, "k", value), at(i));
      }
      copy(db, left);
    }
    return left;
  }

  private static List<Path> logs(Path db) throws IOException {
    try (Stream<Path> files = Files.list(db)) {
      return files.filter(file -> file.toString().endsWith(".log")).toList();
    }
  }

  /** A directory of files, as they are now. */
  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void aDefectInACommandLeavesNothing() {
    try (RocksState state = RocksState.open(directory.resolve("db"))) {
      assertThatThrownBy(
              () ->
                  state.apply(
                      MODULE,
                      keys -> {
                        put(keys, "a", "1");
                        throw new IllegalStateException("defect");
                      },
                      at(5)))
          .isInstanceOf(IllegalStateException.class);
      assertThat(state.applied()).isEqualTo(Applied.NONE);
      state.apply(MODULE, keys -> put(keys, "b", "2"), at(6));
      assertThat(state.<List<String>>read(MODULE, keys -> scan(keys, "", "")))
          .containsExactly("b=2");
    }
  }

  @Test
  void aReaderSeesOneMomentWhileCommandsGoOn() throws Exception {
    try (RocksState state = RocksState.open(directory.resolve("db"))) {
      state.apply(MODULE, keys -> put(keys, "a", "1", "b", "1"), at(0));
      CountDownLatch reading = new CountDownLatch(1);
      CountDownLatch changed = new CountDownLatch(1);
      Thread writer =
          Thread.ofVirtual()
              .start(
                  () -> {
                    await(reading);
                    state.apply(MODULE, keys -> put(keys, "a", "2", "b", "2"), at(1));
                    changed.countDown();
                  });
      List<String> seen =
          state.read(
              MODULE,
              keys -> {
                String a = new String(keys.get(bytes("a")), UTF_8);
                reading.countDown();
                await(changed);
                return List.of(
                    a, new String(keys.get(bytes("b")), UTF_8), scan(keys, "", "").toString());
              });
      writer.join();
      assertThat(seen).containsExactly("1", "1", "[a=1, b=1]");
    }
  }

  @Test
  void whatAKillLeavesIsTheStateAtThePositionThatItNames() throws IOException {
    Path db = directory.resolve("db");
    Path killed = directory.resolve("killed");
    try (RocksState state = RocksState.open(db)) {
      // Several write buffers, so that some of it is on the disk and some is not.
      byte[] large = new byte[64 << 10];
      for (int i = 0; i < 700; i++) {
        int number = i;
        state.apply(
            MODULE,
            keys -> {
              keys.put(bytes("k%05d".formatted(number)), large);
              return new byte[0];
            },
            at(i));
        if (i == 650) {
          copyAsIs(db, killed);
        }
      }
    }
    try (RocksState state = RocksState.open(killed)) {
      long index = state.applied().index();
      assertThat(index).isBetween(100L, 650L);
      List<String> keys = new ArrayList<>();
      state.read(
          MODULE,
          reader -> {
            reader.scan(bytes("k"), bytes("k"), (key, value) -> keys.add(new String(key, UTF_8)));
            return 0;
          });
      assertThat(keys).hasSize((int) index + 1);
      assertThat(keys.getLast()).isEqualTo("k%05d".formatted(index));
    }
  }

  @Test
  void aCheckpointReplacesTheStateAndStaysAsItWas() {
    Path checkpoint = directory.resolve("checkpoint");
    try (RocksState source = RocksState.open(directory.resolve("source"));
        RocksState target = RocksState.open(directory.resolve("target"))) {
      source.apply(MODULE, keys -> put(keys, "a", "1"), at(9));
      source.checkpoint(checkpoint);
      target.apply(MODULE, keys -> put(keys, "z", "gone"), at(2));
      for (int round = 0; round < 2; round++) {
        target.replaceBy(checkpoint);
        assertThat(target.applied()).isEqualTo(at(9));
        assertThat(target.<List<String>>read(MODULE, keys -> scan(keys, "", "")))
            .containsExactly("a=1");
        target.apply(MODULE, keys -> put(keys, "a", "2"), at(10));
      }
    }
  }

  @Test
  void aDamagedDatabaseIsNamedWithTheRemedy() throws IOException {
    Path db = directory.resolve("db");
    try (RocksState state = RocksState.open(db)) {
      state.apply(MODULE, keys -> put(keys, "a", "1"), at(0));
    }
    Files.writeString(db.resolve("CURRENT"), "MANIFEST-000999\n");
    assertThatThrownBy(() -> RocksState.open(db))
        .isInstanceOf(TrefoilException.class)
        .hasMessageContaining(db.toString())
        .hasMessageContaining("move");
  }

  private static byte[] put(KeyValue keys, String... pairs) {
    for (int i = 0; i < pairs.length; i += 2) {
      keys.put(bytes(pairs[i]), bytes(pairs[i + 1]));
    }
    return new byte[0];
  }

  private static List<String> scan(KeyValueReader keys, String prefix, String from) {
    List<String> seen = new ArrayList<>();
    keys.scan(
        bytes(prefix),
        bytes(from),
        (key, value) -> seen.add(new String(key, UTF_8) + "=" + new String(value, UTF_8)));
    return seen;
  }

  /** As at one moment: again when files came or went meanwhile. */
  private static void copyAsIs(Path from, Path to) {
    try {
      List<Path> before;
      do {
        before = listed(from);
        Directories.delete(to);
        Files.createDirectories(to);
        copy(before.reversed(), to);
      } while (!before.equals(listed(from)));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Path> listed(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  /** The manifest first: tables written meanwhile are then merely unknown to it. */
  private static void copy(List<Path> files, Path to) throws IOException {
    for (Path file : files) {
      try {
        Files.copy(file, to.resolve(file.getFileName()));
      } catch (NoSuchFileException e) {
        return; // gone meanwhile: all is copied again
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Applied at(long index) {
    return new Applied(1, index);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
