package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.testing.SystemFile;
import org.trefoilfs.mount.testing.TestCluster;

/**
 * In the manner of fsx: random operations on a file, through two mounts in turn, against a
 * reference file on a local disk. Replay with {@code -Dfsx.seed=N}.
 */
class RandomOperationsTest {
  private static final int OPERATIONS = 4000;

  /** Files cross a chunk's end now and then. */
  private static final int LARGEST = (4 << 20) + 300_000;

  private static final int BLOCK = 4096;

  private static final int[] MODES = {
    0,
    SystemFile.KEEP_SIZE,
    SystemFile.PUNCH_HOLE | SystemFile.KEEP_SIZE,
    SystemFile.PUNCH_HOLE | SystemFile.KEEP_SIZE,
    SystemFile.ZERO_RANGE,
    SystemFile.ZERO_RANGE | SystemFile.KEEP_SIZE
  };

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
      try (Opened here = Opened.of(a.resolve("f"));
          Opened there = Opened.of(b.resolve("f"));
          Opened model = Opened.of(reference)) {
        boolean seeks = transport.startsWith("kernel");
        new Run(new Random(seed), seed, seeks).run(List.of(here, there), model);
      }
    }
    for (String name : List.of("reference", "a", "b", "")) {
      Files.delete(temp.resolve(name));
    }
  }

  /** One file, for the calls that Java has and for the others. */
  private record Opened(Path path, FileChannel file, SystemFile calls) implements AutoCloseable {
    static Opened of(Path path) throws IOException {
      FileChannel file =
          FileChannel.open(
              path,
              Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
      return new Opened(path, file, SystemFile.open(path, SystemFile.READ_WRITE));
    }

    @Override
    public void close() throws IOException {
      calls.close();
      file.close();
    }
  }

  /**
   * @param seeks whether the transport is asked for data and holes; else the kernel says that files
   *     have none
   */
  private record Run(Random random, long seed, boolean seeks) {
    void run(List<Opened> mounts, Opened model) throws IOException {
      List<String> history = new ArrayList<>();
      for (int i = 0; i < OPERATIONS; i++) {
        Opened mount = mounts.get(random.nextInt(2));
        String done = step(mount, model, history);
        history.add(mounts.indexOf(mount) + " " + done);
        assertThat(mount.file().size())
            .as("size; seed %d; %s", seed, history)
            .isEqualTo(model.file().size());
      }
      for (Opened mount : mounts) {
        compare(mount.file(), model.file(), 0, LARGEST, seed, history);
        compareHoles(mount, model, 0, history);
      }
      assertThat(history).hasSize(OPERATIONS);
    }

    private String step(Opened at, Opened model, List<String> history) throws IOException {
      FileChannel mount = at.file();
      // Near the start or the chunk's end, so that operations meet.
      long offset = random.nextInt(3) == 0 ? (4 << 20) - 60_000 : 0;
      offset += random.nextInt(random.nextInt(4) == 0 ? 200_000 : 20_000);
      int length = 1 + random.nextInt(random.nextInt(10) == 0 ? 140_000 : 9_000);
      switch (random.nextInt(12)) {
        case 0 -> {
          if (model.file().size() > offset) {
            mount.truncate(offset);
            model.file().truncate(offset);
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
          model.file().write(ByteBuffer.wrap(data), end);
          return "append " + length;
        }
        case 2, 3, 4 -> {
          byte[] data = data(random, length);
          assertThat(mount.write(ByteBuffer.wrap(data), offset)).isEqualTo(length);
          model.file().write(ByteBuffer.wrap(data), offset);
          return "write " + offset + "+" + length;
        }
        case 5 -> {
          mount.force(random.nextBoolean());
          return "sync";
        }
        case 6 -> {
          int mode = MODES[random.nextInt(MODES.length)];
          at.calls().allocate(mode, offset, length);
          model.calls().allocate(mode, offset, length);
          return "fallocate " + mode + " " + offset + "+" + length;
        }
        case 7 -> {
          return copy(at, model, offset, length);
        }
        case 8, 9 -> {
          compareHoles(at, model, offset, history);
          return "seek from " + offset;
        }
        default -> {
          String what = "read " + offset + "+" + length;
          compare(mount, model.file(), offset, length, seed, List.of(what));
          return what;
        }
      }
    }

    private String copy(Opened at, Opened model, long from, int length) throws IOException {
      long to = random.nextInt(2) == 0 ? from + length + random.nextInt(9_000) : from / 2;
      String what = "copy " + from + "+" + length + " to " + to;
      if (to + length > LARGEST) {
        return "nothing";
      }
      assertThat(copied(at, from, to, length))
          .as("%s; seed %d", what, seed)
          .isEqualTo(copied(model, from, to, length));
      return what;
    }

    /**
     * How much was copied, or minus the errno. As cp(1) does it: opens the file anew, without which
     * what the kernel copies for libfuse could be old, and asks for its size, beyond which the
     * kernel copies nothing.
     */
    private static long copied(Opened at, long from, long to, int length) throws IOException {
      try (SystemFile file = SystemFile.open(at.path(), SystemFile.READ_WRITE)) {
        at.file().size();
        return file.copyAll(from, file, to, length);
      } catch (SystemFile.Failure e) {
        return -e.errno();
      }
    }

    /** A block is data unless it is all zeros: that is what lseek and st_blocks go by. */
    private void compareHoles(Opened at, Opened model, long from, List<String> how)
        throws IOException {
      int size = (int) model.file().size();
      byte[] content = new byte[size];
      ByteBuffer into = ByteBuffer.wrap(content);
      while (into.hasRemaining() && model.file().read(into, into.position()) > 0) {
        continue;
      }
      BitSet data = new BitSet();
      for (int i = 0; i < size; i++) {
        if (content[i] != 0) {
          data.set(i / BLOCK);
        }
      }
      compare(at.file(), model.file(), 0, size, seed, how);
      assertThat(at.calls().sectors())
          .as("sectors; seed %d; %s", seed, how)
          .isEqualTo(data.cardinality() * (BLOCK / 512));
      if (from < size && seeks) {
        assertThat(seek(at, from, SystemFile.SEEK_DATA))
            .as("data from %d; seed %d; %s", from, seed, how)
            .isEqualTo(found(from, data.nextSetBit((int) from / BLOCK), size, -1));
        assertThat(seek(at, from, SystemFile.SEEK_HOLE))
            .as("hole from %d; seed %d; %s", from, seed, how)
            .isEqualTo(found(from, data.nextClearBit((int) from / BLOCK), size, size));
      }
    }

    private static long found(long from, int block, int size, long otherwise) {
      return block < 0 || (long) block * BLOCK >= size
          ? otherwise
          : Math.max(from, (long) block * BLOCK);
    }

    private static long seek(Opened at, long from, int whence) throws IOException {
      try {
        return at.calls().seek(from, whence);
      } catch (SystemFile.Failure e) {
        assertThat(e.errno()).isEqualTo(Errno.ENXIO);
        return -1;
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
