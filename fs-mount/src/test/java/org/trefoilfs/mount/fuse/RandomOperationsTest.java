package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.testing.TestCluster;

/**
 * In the manner of fsx: random operations on a file, through two mounts in turn, against a
 * reference file on a local disk. Replay with {@code -Dfsx.seed=N}.
 */
class RandomOperationsTest {
  private static final int OPERATIONS = 4000;

  /** Files cross a chunk's end now and then. */
  private static final int LARGEST = (4 << 20) + 300_000;

  @TempDir(cleanup = CleanupMode.NEVER)
  Path temp;

  @ParameterizedTest
  @ValueSource(strings = {"libfuse", "kernel", "libfuse async", "kernel async"})
  void fileOnTwoMountsBehavesAsOneOnALocalDisk(String transport) throws Exception {
    long seed = Long.getLong("fsx.seed", System.nanoTime());
    Path reference = temp.resolve("reference");
    try (TestCluster cluster = new TestCluster(transport)) {
      Path a = cluster.mount(temp.resolve("a"), "threads=4").mountPoint();
      Path b = cluster.mount(temp.resolve("b"), "threads=4").mountPoint();
      try (FileChannel here = open(a.resolve("f"));
          FileChannel there = open(b.resolve("f"));
          FileChannel model = open(reference)) {
        run(new Random(seed), List.of(here, there), model, seed);
      }
    }
    for (String name : List.of("reference", "a", "b", "")) {
      Files.delete(temp.resolve(name));
    }
  }

  private static FileChannel open(Path path) throws IOException {
    return FileChannel.open(
        path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
  }

  private static void run(Random random, List<FileChannel> mounts, FileChannel model, long seed)
      throws IOException {
    List<String> history = new ArrayList<>();
    for (int i = 0; i < OPERATIONS; i++) {
      FileChannel mount = mounts.get(random.nextInt(2));
      String done = step(random, mount, model, seed);
      history.add(mounts.indexOf(mount) + " " + done);
      assertThat(mount.size()).as("size; seed %d; %s", seed, history).isEqualTo(model.size());
    }
    compare(mounts.get(0), model, 0, LARGEST, seed, history);
    compare(mounts.get(1), model, 0, LARGEST, seed, history);
    assertThat(history).hasSize(OPERATIONS);
  }

  private static String step(Random random, FileChannel mount, FileChannel model, long seed)
      throws IOException {
    // Near the start or the chunk's end, so that operations meet.
    long offset = random.nextInt(3) == 0 ? (4 << 20) - 60_000 : 0;
    offset += random.nextInt(random.nextInt(4) == 0 ? 200_000 : 20_000);
    int length = 1 + random.nextInt(random.nextInt(10) == 0 ? 140_000 : 9_000);
    switch (random.nextInt(8)) {
      case 0 -> {
        if (model.size() > offset) {
          mount.truncate(offset);
          model.truncate(offset);
        }
        return "truncate " + offset;
      }
      case 1 -> {
        byte[] data = data(random, length);
        long end = mount.size();
        if (end + length > LARGEST) {
          return "nothing";
        }
        mount.write(ByteBuffer.wrap(data), end);
        model.write(ByteBuffer.wrap(data), end);
        return "append " + length;
      }
      case 2, 3, 4 -> {
        byte[] data = data(random, length);
        assertThat(mount.write(ByteBuffer.wrap(data), offset)).isEqualTo(length);
        model.write(ByteBuffer.wrap(data), offset);
        return "write " + offset + "+" + length;
      }
      case 5 -> {
        mount.force(random.nextBoolean());
        return "sync";
      }
      default -> {
        compare(mount, model, offset, length, seed, List.of("read " + offset + "+" + length));
        return "read " + offset + "+" + length;
      }
    }
  }

  private static byte[] data(Random random, int length) {
    byte[] data = new byte[length];
    random.nextBytes(data);
    return data;
  }

  private static void compare(
      FileChannel mount, FileChannel model, long offset, int length, long seed, List<String> how)
      throws IOException {
    ByteBuffer got = ByteBuffer.allocate(length);
    ByteBuffer wanted = ByteBuffer.allocate(length);
    while (got.hasRemaining() && mount.read(got, offset + got.position()) > 0) {
      continue;
    }
    while (wanted.hasRemaining() && model.read(wanted, offset + wanted.position()) > 0) {
      continue;
    }
    assertThat(got.flip().mismatch(wanted.flip()))
        .as("first difference from %d; seed %d; %s", offset, seed, how)
        .isEqualTo(-1);
  }
}
