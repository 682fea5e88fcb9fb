package org.trefoilfs.mount.fuse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.Dentry;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.namespace.StateLogNames;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.env.SystemTime;

/**
 * A directory of very many entries: {@code TREFOIL_DIRECTORY_ENTRIES} in the environment, 100,000
 * if that is not set.
 */
class LargeDirectoryTest {
  private static final int ENTRIES =
      Integer.parseInt(System.getenv().getOrDefault("TREFOIL_DIRECTORY_ENTRIES", "100000"));

  private static final long SEED = 20261130;

  @TempDir(cleanup = CleanupMode.NEVER)
  Path temp;

  private static long fill(StateLogNames names) {
    int mode = FileType.DIRECTORY.bits() | 0755;
    Location at = Location.of(names.root(), "many".getBytes(UTF_8));
    Attributes directory = names.create(at, new NewInode(mode, 0, 0, 0, new byte[0])).join();
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    for (int i = 0; i < ENTRIES; i++) {
      names.create(Location.of(directory.inode(), name(i)), file).join();
    }
    return directory.inode();
  }

  private static byte[] name(int number) {
    return "f%07d".formatted(number).getBytes(UTF_8);
  }

  @ParameterizedTest
  @ValueSource(strings = {"libfuse", "kernel"})
  void whatStaysIsListedOnceWhileOthersComeAndGo(String transport) throws Exception {
    try (TestCluster cluster = new TestCluster(transport)) {
      fill(cluster.names());
      Path a = cluster.mount(temp.resolve("a"), "").mountPoint().resolve("many");
      Path b = cluster.mount(temp.resolve("b"), "").mountPoint().resolve("many");
      AtomicBoolean over = new AtomicBoolean();
      CompletableFuture<Integer> churn = CompletableFuture.supplyAsync(() -> churn(b, over));
      try {
        isListedOnce(a);
        isListedOnce(b);
      } finally {
        over.set(true);
      }
      assertThat(churn.get()).isPositive();
    }
    for (String name : List.of("a", "b", "")) {
      Files.delete(temp.resolve(name));
    }
  }

  /** Makes and removes names in between the others, in front of them and behind them. */
  private static int churn(Path directory, AtomicBoolean over) {
    Random random = new Random(SEED);
    int rounds = 0;
    try {
      while (!over.get()) {
        List<Path> made = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
          char first = "afz".charAt(random.nextInt(3));
          String name = first + "%07dx%d".formatted(random.nextInt(ENTRIES), i);
          made.add(Files.createFile(directory.resolve(name)));
        }
        for (Path path : made) {
          Files.delete(path);
        }
        rounds++;
      }
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return rounds;
  }

  private static void isListedOnce(Path directory) throws Exception {
    BitSet seen = new BitSet(ENTRIES);
    Set<String> others = new HashSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        if (name.matches("f[0-9]{7}")) {
          int number = Integer.parseInt(name.substring(1));
          assertThat(seen.get(number)).as("%s seen before", name).isFalse();
          seen.set(number);
        } else {
          assertThat(others.add(name)).as("%s seen for the first time", name).isTrue();
        }
      }
    }
    assertThat(seen.nextClearBit(0)).as("first that was not listed").isEqualTo(ENTRIES);
  }

  @Test
  void anOpenDirectoryCostsAPageHoweverManyEntriesThereAre() {
    try (TestCluster cluster = new TestCluster()) {
      long directory = fill(cluster.names());
      // What is remembered of the entries has a bound of its own.
      Names names = StateLogNames.open(cluster.log, 1, 1, SystemTime.INSTANCE).join();
      Vfs vfs = cluster.vfs(names, TestCluster.OPTIONS);
      long handle = vfs.openDirectory(directory);
      int largest = 0;
      long position = 0;
      long before = used();
      for (List<Dentry> page = vfs.readDirectory(handle, directory, 0);
          !page.isEmpty();
          page = vfs.readDirectory(handle, directory, position)) {
        largest = Math.max(largest, page.size());
        position += page.size();
      }
      assertThat(position).isEqualTo(ENTRIES);
      assertThat(largest).isEqualTo(1000);
      // The name that ends each page, some 100 bytes, and a page.
      assertThat(used() - before).isLessThan(ENTRIES / 1000 * 200L + (2L << 20));
      assertThat(vfs.readDirectory(handle, directory, ENTRIES / 2).getFirst().name())
          .isEqualTo(name(ENTRIES / 2));
      vfs.closeDirectory(handle);
    }
  }

  private static long used() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /** In memory a tree of rows answers: what is measured here is that nobody goes through them. */
  @Test
  void looksUpMakesAndRemovesAsInASmallDirectory() {
    try (TestCluster cluster = new TestCluster()) {
      long many = fill(cluster.names());
      Vfs vfs = cluster.vfs();
      NewInode wanted = new NewInode(FileType.DIRECTORY.bits() | 0755, 0, 0, 0, new byte[0]);
      long few = vfs.make(vfs.root(), "few".getBytes(UTF_8), wanted).inode();
      long small = fastest(vfs, few);
      long large = fastest(vfs, many);
      System.out.printf(
          "make, look up and remove: %d ns beside 0 entries, %d ns beside %d%n",
          small, large, ENTRIES);
      // To go through them all takes a thousand times as long.
      assertThat(large).isLessThan(50 * small);
    }
  }

  /** Nanoseconds that making, finding and removing a name takes, the best of many rounds. */
  private static long fastest(Vfs vfs, long directory) {
    Random random = new Random(SEED);
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    long fastest = Long.MAX_VALUE;
    for (int round = 0; round < 200; round++) {
      long began = System.nanoTime();
      for (int i = 0; i < 20; i++) {
        byte[] name = "f%07dx".formatted(random.nextInt(ENTRIES)).getBytes(UTF_8);
        vfs.make(directory, name, file);
        vfs.lookup(directory, name);
        vfs.unlink(directory, name);
      }
      fastest = Math.min(fastest, (System.nanoTime() - began) / 20);
    }
    return fastest;
  }
}
