package org.trefoilfs.mount.fuse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.StateLogNames;
import org.trefoilfs.mount.testing.SystemFile;

/** What the kernel remembers of files' bytes, at two mounts. */
class PageCacheTest extends TwoKernelMounts {
  private static final int BLOCK = 4096;
  private static final int BLOCKS = 64;

  private final StateLogNames names = cluster.names();

  private static FileChannel open(Path path) throws IOException {
    return FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static FileChannel openToRead(Path path) throws IOException {
    return FileChannel.open(path, StandardOpenOption.READ);
  }

  private static byte[] filled(int count, long with) {
    byte[] bytes = new byte[count];
    Arrays.fill(bytes, (byte) with);
    return bytes;
  }

  private static byte[] read(FileChannel file, long offset, int count) throws IOException {
    ByteBuffer into = ByteBuffer.allocate(count);
    while (into.hasRemaining() && file.read(into, offset + into.position()) > 0) {
      continue;
    }
    return Arrays.copyOf(into.array(), into.position());
  }

  private static void write(FileChannel file, long offset, byte[] bytes) throws IOException {
    assertThat(file.write(ByteBuffer.wrap(bytes), offset)).isEqualTo(bytes.length);
  }

  /** Until no mount is known to write it: what is opened to be read then may be kept. */
  private void awaitUnwritten(String name) {
    Location at = Location.of(names.root(), name.getBytes(UTF_8));
    await().until(() -> names.lookup(at).join().writers().sessions().isEmpty());
  }

  @Test
  void bytesThatNobodyElseWritesAreReadOnce() throws Exception {
    Files.write(a.resolve("f"), filled(BLOCKS * BLOCK, 'x'));
    awaitUnwritten("f");
    try (FileChannel file = openToRead(a.resolve("f"))) {
      read(file, 0, BLOCKS * BLOCK);
      // A lease lasts for a while only: of a few looks in a row, one is within it.
      await()
          .pollInterval(Duration.ofMillis(1))
          .atMost(Duration.ofSeconds(20))
          .until(
              () -> {
                read(file, 0, BLOCKS * BLOCK);
                Map<Operation, Long> before = calls();
                assertThat(read(file, 0, BLOCKS * BLOCK)).isEqualTo(filled(BLOCKS * BLOCK, 'x'));
                return calls().equals(before);
              });
      long reads = calls().getOrDefault(Operation.READ, 0L);
      Thread.sleep(1500); // longer than any lease: attributes are asked for again
      read(file, 0, BLOCKS * BLOCK);
      Files.readAllBytes(a.resolve("f"));
      assertThat(calls().get(Operation.READ)).as("also at another open").isEqualTo(reads);
    }
  }

  /** Neither size nor time says that the file was changed. */
  @Test
  void whatAnotherMountWritesIsReadAtOnce() throws Exception {
    Path name = Path.of("f");
    FileTime then = FileTime.fromMillis(1_000_000_000_000L);
    Files.write(a.resolve(name), filled(BLOCKS * BLOCK, 0));
    awaitUnwritten("f");
    try (FileChannel near = open(a.resolve(name));
        FileChannel far = open(b.resolve(name));
        FileChannel nearer = openToRead(a.resolve(name));
        FileChannel farther = openToRead(b.resolve(name))) {
      for (int round = 1; round <= 120; round++) {
        FileChannel from = round % 2 == 0 ? near : far;
        FileChannel at = round % 2 == 0 ? farther : nearer;
        FileChannel own = round % 2 == 0 ? nearer : farther;
        Path there = (round % 2 == 0 ? b : a).resolve(name);
        long offset = (long) ThreadLocalRandom.current().nextInt(BLOCKS) * BLOCK;
        byte[] bytes = filled(BLOCK, round);
        write(from, offset, bytes);
        if (round % 3 == 0) {
          Files.setLastModifiedTime((round % 2 == 0 ? a : b).resolve(name), then);
        }
        assertThat(read(at, offset, BLOCK)).as("round %d, open file", round).isEqualTo(bytes);
        assertThat(read(own, offset, BLOCK)).as("round %d, at its mount", round).isEqualTo(bytes);
        try (FileChannel anew = openToRead(there)) {
          assertThat(read(anew, offset, BLOCK)).as("round %d, new open", round).isEqualTo(bytes);
        }
        if (round % 40 == 0) {
          awaitUnwritten("f"); // then both kernels keep pages again
          read(at, 0, BLOCKS * BLOCK);
          read(own, 0, BLOCKS * BLOCK);
        }
      }
    }
  }

  @Test
  void punchedAndCutOffBytesAreNotReadFromPages() throws Exception {
    Files.write(a.resolve("f"), filled(BLOCKS * BLOCK, 'x'));
    awaitUnwritten("f");
    try (FileChannel far = openToRead(b.resolve("f"));
        SystemFile calls = SystemFile.open(a.resolve("f"), SystemFile.READ_WRITE);
        FileChannel near = open(a.resolve("f"))) {
      settle(far);
      calls.allocate(SystemFile.PUNCH_HOLE | SystemFile.KEEP_SIZE, BLOCK, BLOCK);
      assertThat(read(far, BLOCK, BLOCK)).isEqualTo(new byte[BLOCK]);
      settle(far);
      near.truncate(10);
      assertThat(read(far, 0, BLOCK)).isEqualTo(filled(10, 'x'));
      near.write(ByteBuffer.wrap(filled(1, 'y')), 2 * BLOCK);
      assertThat(read(far, 0, 2 * BLOCK)).startsWith(filled(10, 'x')).endsWith(new byte[BLOCK]);
      settle(far);
      try (SystemFile source = SystemFile.open(a.resolve("f"), SystemFile.READ_WRITE)) {
        source.copyAll(0, calls, BLOCK, 10);
      }
      assertThat(read(far, BLOCK, 10)).isEqualTo(filled(10, 'x'));
    }
  }

  /** Reads all of it, so that the kernel has it. */
  private void settle(FileChannel file) throws IOException {
    awaitUnwritten("f");
    for (int i = 0; i < 3; i++) {
      read(file, 0, BLOCKS * BLOCK);
    }
  }

  @Test
  void mappingsShareWhatIsWrittenBack() throws Exception {
    Files.write(a.resolve("f"), filled(2 * BLOCK, 'x'));
    try (FileChannel near = open(a.resolve("f"));
        FileChannel far = open(b.resolve("f"))) {
      MappedByteBuffer mine = near.map(FileChannel.MapMode.READ_WRITE, 0, 2 * BLOCK);
      MappedByteBuffer theirs = far.map(FileChannel.MapMode.READ_WRITE, 0, 2 * BLOCK);
      assertThat(theirs.get(5)).isEqualTo((byte) 'x');
      mine.put(5, (byte) 'm');
      assertThat(near.read(ByteBuffer.allocate(1), 5)).isEqualTo(1);
      mine.force();
      assertThat(read(far, 5, 1)).as("read(2)").isEqualTo(filled(1, 'm'));
      await().untilAsserted(() -> assertThat(theirs.get(5)).isEqualTo((byte) 'm'));
      write(far, BLOCK, filled(BLOCK, 'f'));
      assertThat(read(near, BLOCK, 1)).as("read(2)").isEqualTo(filled(1, 'f'));
      await().untilAsserted(() -> assertThat(mine.get(BLOCK + 7)).isEqualTo((byte) 'f'));
      awaitUnwritten("f");
      write(far, 0, filled(BLOCK, 'g'));
      await().untilAsserted(() -> assertThat(mine.get(0)).isEqualTo((byte) 'g'));
    }
  }

  @Test
  void whatIsStoredIntoAMappingMakesNoFileLonger() throws Exception {
    Files.write(a.resolve("f"), filled(4 * BLOCK, 'x'));
    try (FileChannel near = open(a.resolve("f"));
        FileChannel far = open(b.resolve("f"))) {
      MappedByteBuffer mine = near.map(FileChannel.MapMode.READ_WRITE, 0, 4 * BLOCK);
      mine.put(3 * BLOCK, (byte) 'm');
      mine.put(0, (byte) 'n');
      far.truncate(100);
      await().untilAsserted(() -> assertThat(read(far, 0, 1)).isEqualTo(filled(1, 'n')));
      assertThat(far.size()).isEqualTo(100);
      assertThat(near.size()).isEqualTo(100);
    }
  }

  /**
   * Blocks of growing numbers, one writer each, at either mount; readers at both, by open files and
   * new ones: nobody sees less than anybody has seen before.
   */
  @Test
  void nobodySeesOlderBytesThanSomebodyHasSeen() throws Exception {
    Files.write(a.resolve("f"), new byte[BLOCKS * BLOCK]);
    awaitUnwritten("f");
    AtomicLong[] seen = new AtomicLong[4];
    for (int i = 0; i < seen.length; i++) {
      seen[i] = new AtomicLong();
    }
    AtomicLong reads = new AtomicLong();
    long until = System.nanoTime() + Duration.ofSeconds(12).toNanos();
    try (ExecutorService pool = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < seen.length; i++) {
        int block = i;
        Path at = i % 2 == 0 ? a : b;
        all.add(pool.submit(() -> grow(at.resolve("f"), block, seen[block], until)));
        all.add(pool.submit(() -> watch(a.resolve("f"), seen, reads, until)));
        all.add(pool.submit(() -> watch(b.resolve("f"), seen, reads, until)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    assertThat(reads.get()).isGreaterThan(1_000);
  }

  /** Writes for a while, and pauses for so long that others may keep the pages again. */
  private static Void grow(Path path, int block, AtomicLong seen, long until) throws Exception {
    try (FileChannel file = open(path)) {
      for (long value = 1; System.nanoTime() < until; value++) {
        write(file, (long) block * BLOCK, number(value));
        seen.accumulateAndGet(value, Math::max);
        if (value % 50 == 0) {
          Thread.sleep(ThreadLocalRandom.current().nextInt(2_500));
        }
      }
    }
    return null;
  }

  private static byte[] number(long value) {
    return ByteBuffer.allocate(BLOCK).putLong(value).array();
  }

  private static Void watch(Path path, AtomicLong[] seen, AtomicLong reads, long until)
      throws Exception {
    FileChannel file = openToRead(path);
    try {
      while (System.nanoTime() < until) {
        int block = ThreadLocalRandom.current().nextInt(seen.length);
        long least = seen[block].get();
        long found = ByteBuffer.wrap(read(file, (long) block * BLOCK, Long.BYTES)).getLong();
        assertThat(found).as("block %d at %s", block, path).isGreaterThanOrEqualTo(least);
        seen[block].accumulateAndGet(found, Math::max);
        if (reads.incrementAndGet() % 100 == 0) {
          file.close();
          file = openToRead(path);
        }
      }
    } finally {
      file.close();
    }
    return null;
  }

  @Test
  void directIoMountReadsEachTime() throws Exception {
    MountHandle direct = cluster.mount(temp.resolve("c"), "direct_io");
    Path c = direct.mountPoint();
    Files.write(c.resolve("f"), filled(BLOCK, 'x'));
    awaitUnwritten("f");
    for (int i = 1; i <= 3; i++) {
      assertThat(Files.readAllBytes(c.resolve("f"))).isEqualTo(filled(BLOCK, 'x'));
      assertThat(direct.statistics().of(Operation.READ).calls()).isGreaterThanOrEqualTo(i);
    }
    Unmounter.unmount(c, Unmounter.Manner.LAZY);
    Files.delete(c);
  }
}
