package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.trefoilfs.mount.testing.SystemFile.APPEND;
import static org.trefoilfs.mount.testing.SystemFile.COLLAPSE_RANGE;
import static org.trefoilfs.mount.testing.SystemFile.CREATE;
import static org.trefoilfs.mount.testing.SystemFile.INSERT_RANGE;
import static org.trefoilfs.mount.testing.SystemFile.KEEP_SIZE;
import static org.trefoilfs.mount.testing.SystemFile.PUNCH_HOLE;
import static org.trefoilfs.mount.testing.SystemFile.READ_WRITE;
import static org.trefoilfs.mount.testing.SystemFile.SEEK_DATA;
import static org.trefoilfs.mount.testing.SystemFile.SEEK_HOLE;
import static org.trefoilfs.mount.testing.SystemFile.ZERO_RANGE;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.testing.SystemFile;
import org.trefoilfs.mount.testing.TestCluster;

/**
 * Holes, fallocate(2) and copy_file_range(2), at two mounts of one volume, beside a local disk as
 * the reference.
 */
@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"libfuse", "kernel", "libfuse async", "kernel async"})
class SparseFilesTest {
  private static final int BLOCK = 4096;
  private static final int CHUNK = 4 << 20;
  private static final int EBADF = 9;
  private static TestCluster cluster;

  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temp;

  private static MountHandle a;
  private static MountHandle b;
  @Parameter String transport;

  /** The same name at the first mount, at the second, and on the local disk. */
  private Path here;

  private Path there;
  private Path local;

  @AfterAll
  static void removeMountPoints() throws IOException {
    Files.delete(temp);
  }

  @BeforeParameterizedClassInvocation
  static void mount(String transport) throws Exception {
    cluster = new TestCluster(transport);
    a = cluster.mount(temp.resolve("a"), "threads=8");
    b = cluster.mount(temp.resolve("b"), "threads=8");
    Files.createDirectory(temp.resolve("local"));
  }

  @AfterParameterizedClassInvocation
  static void unmount() throws Exception {
    a.unmount();
    b.unmount();
    cluster.close();
    Shell.run(temp, "rm -r local; rmdir a b").succeeds();
  }

  @BeforeEach
  void names(TestInfo test) {
    String name = test.getTestMethod().get().getName();
    here = a.mountPoint().resolve(name);
    there = b.mountPoint().resolve(name);
    local = temp.resolve("local").resolve(name);
  }

  private boolean seeks() {
    return transport.startsWith("kernel");
  }

  // ---- what is done to a file, at the mount and locally

  private interface Change {
    void to(Path path) throws IOException;
  }

  private void both(Change change) throws IOException {
    change.to(here);
    change.to(local);
  }

  private static Change write(long offset, int length) {
    byte[] data = new byte[length];
    new Random(offset).nextBytes(data);
    return write(offset, data);
  }

  private static Change write(long offset, byte[] data) {
    return path -> {
      try (FileChannel file =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        file.write(ByteBuffer.wrap(data), offset);
      }
    };
  }

  private static Change allocate(int mode, long offset, long length) {
    return path -> {
      try (SystemFile file = SystemFile.open(path, READ_WRITE | CREATE)) {
        file.allocate(mode, offset, length);
      }
    };
  }

  private static Change resize(long size) {
    return path -> {
      try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
        file.setLength(size);
      }
    };
  }

  private static long sectors(Path path) throws IOException {
    try (SystemFile file = SystemFile.open(path, READ_WRITE)) {
      return file.sectors();
    }
  }

  private static String map(Path path) throws IOException {
    try (SystemFile file = SystemFile.open(path, READ_WRITE)) {
      return file.map(Files.size(path));
    }
  }

  /** Same size, bytes, holes and allocation at either mount as on the local disk. */
  private void isAsLocally() throws IOException {
    sync(local);
    for (Path path : List.of(here, there)) {
      assertThat(Files.size(path)).as("size").isEqualTo(Files.size(local));
      assertThat(Files.mismatch(path, local)).as("first difference").isEqualTo(-1);
      assertThat(sectors(path)).as("sectors at " + path).isEqualTo(sectors(local));
      if (seeks()) {
        assertThat(map(path)).as("data and holes at " + path).isEqualTo(map(local));
      }
    }
  }

  private static void sync(Path path) throws IOException {
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
      file.force(true);
    }
  }

  private static int errno(ThrowingCallable call) {
    int[] errno = new int[1];
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(SystemFile.Failure.class, e -> errno[0] = e.errno());
    return errno[0];
  }

  // ---- holes

  @Test
  void aFileWrittenFromEndToEndHasNoHolesAndAsksNobody() throws Exception {
    both(write(0, 3 * BLOCK));
    both(write(3 * BLOCK, 100));
    sync(here);
    long asked = questions();
    isAsLocally();
    assertThat(questions()).isEqualTo(asked);
  }

  private static long questions() {
    return cluster.volume.calls().stream().filter(call -> call.startsWith("allocated")).count();
  }

  @Test
  void gapsAndTruncationsMakeHoles() throws Exception {
    both(write(5 * BLOCK + 100, 10));
    isAsLocally();
    both(resize(CHUNK + 3 * BLOCK));
    isAsLocally();
    both(write(CHUNK - BLOCK, 2 * BLOCK));
    isAsLocally();
    both(resize(CHUNK - 10));
    isAsLocally();
    both(resize(0));
    isAsLocally();
    both(write(0, BLOCK));
    isAsLocally();
  }

  @Test
  void aFileOfManyGibibytesWithFewBytesTakesLittle() throws Exception {
    both(resize(5L << 30));
    both(write(3L << 30, BLOCK));
    both(write((4L << 30) + 7, 1));
    for (Path path : List.of(here, there)) {
      assertThat(sectors(path)).isEqualTo(2 * BLOCK / 512);
      if (seeks()) {
        assertThat(map(path)).isEqualTo(map(local));
      }
    }
    assertThat(Shell.run(a.mountPoint(), "du -k " + here.getFileName()).succeeds().text())
        .startsWith("8\t");
  }

  @Test
  void blocksOfZerosTakeNoSpace() throws Exception {
    write(0, 4 * BLOCK).to(here);
    write(BLOCK, new byte[2 * BLOCK]).to(here);
    sync(here);
    for (Path path : List.of(here, there)) {
      assertThat(sectors(path)).isEqualTo(2 * BLOCK / 512);
      assertThat(map(path)).isEqualTo(seeks() ? "d0 h4096 d12288 h16384" : "d0 h" + 4 * BLOCK);
    }
  }

  @Test
  void seekingEndsWhereTheFileDoes() throws Exception {
    both(write(BLOCK, 100));
    for (Path path : List.of(here, there, local)) {
      try (SystemFile file = SystemFile.open(path, READ_WRITE)) {
        assertThat(file.seek(BLOCK + 50, SEEK_DATA)).isEqualTo(BLOCK + 50);
        assertThat(file.seek(BLOCK + 50, SEEK_HOLE)).isEqualTo(BLOCK + 100);
        for (int whence : List.of(SEEK_DATA, SEEK_HOLE)) {
          assertThat(errno(() -> file.seek(BLOCK + 100, whence))).isEqualTo(Errno.ENXIO);
          assertThat(errno(() -> file.seek(1L << 40, whence))).isEqualTo(Errno.ENXIO);
          assertThat(errno(() -> file.seek(-1, whence))).isEqualTo(Errno.ENXIO);
        }
      }
    }
    both(resize(3 * BLOCK));
    if (seeks()) {
      for (Path path : List.of(here, there, local)) {
        try (SystemFile file = SystemFile.open(path, READ_WRITE)) {
          assertThat(file.seek(0, SEEK_HOLE)).isZero();
          assertThat(file.seek(0, SEEK_DATA)).isEqualTo(BLOCK);
          assertThat(file.seek(2 * BLOCK + 5, SEEK_HOLE)).isEqualTo(2 * BLOCK + 5);
          assertThat(errno(() -> file.seek(2 * BLOCK, SEEK_DATA))).isEqualTo(Errno.ENXIO);
        }
      }
    }
  }

  // ---- fallocate

  @Test
  void punchingAndZeroingLeaveWhatALocalDiskLeaves() throws Exception {
    both(write(0, 8 * BLOCK));
    both(allocate(PUNCH_HOLE | KEEP_SIZE, BLOCK + 100, 2 * BLOCK));
    isAsLocally();
    both(allocate(PUNCH_HOLE | KEEP_SIZE, 6 * BLOCK, 10 * BLOCK));
    isAsLocally();
    both(allocate(PUNCH_HOLE | KEEP_SIZE, 20 * BLOCK, BLOCK));
    isAsLocally();
  }

  /** Locally, what was zeroed or reserved is allocated; here it is not. */
  @Test
  void zeroingAndGrowingGiveTheSizesAndBytesOfALocalDisk() throws Exception {
    both(write(0, 8 * BLOCK));
    List<Change> changes =
        List.of(
            allocate(ZERO_RANGE, BLOCK + 1, BLOCK),
            allocate(ZERO_RANGE | KEEP_SIZE, 7 * BLOCK, 3 * BLOCK),
            allocate(ZERO_RANGE, 7 * BLOCK + 9, 3 * BLOCK),
            allocate(ZERO_RANGE, 2 * CHUNK, 5),
            allocate(0, 0, BLOCK),
            allocate(0, 2 * CHUNK, 3 * BLOCK),
            allocate(KEEP_SIZE, 0, 4 * CHUNK),
            write(3 * CHUNK, 3));
    for (Change change : changes) {
      both(change);
      for (Path path : List.of(here, there)) {
        assertThat(Files.size(path)).isEqualTo(Files.size(local));
        assertThat(Files.mismatch(path, local)).isEqualTo(-1);
      }
    }
    sync(here);
    // Of the first eight, only the last has no byte left.
    for (Path path : List.of(here, there)) {
      assertThat(sectors(path)).isEqualTo((7 + 1) * BLOCK / 512);
    }
  }

  @Test
  void everyModeTakesTimesWithItAsOnALocalDisk() throws Exception {
    FileTime old = FileTime.fromMillis(1_000_000_000_000L);
    both(write(0, 4 * BLOCK));
    for (int mode :
        new int[] {0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE}) {
      both(path -> Files.setLastModifiedTime(path, old));
      both(allocate(mode, 0, BLOCK));
      boolean changed = !Files.getLastModifiedTime(local).equals(old);
      for (Path path : List.of(here, there)) {
        org.awaitility.Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(!Files.getLastModifiedTime(path).equals(old))
                        .as("mode %d changes mtime", mode)
                        .isEqualTo(changed));
      }
    }
  }

  @Test
  void whatIsNotThereIsRefusedAsNotSupported() throws Exception {
    both(write(0, 4 * BLOCK));
    try (SystemFile file = SystemFile.open(here, READ_WRITE)) {
      for (int mode : new int[] {COLLAPSE_RANGE, INSERT_RANGE, 0x40, PUNCH_HOLE}) {
        assertThat(errno(() -> file.allocate(mode, 0, BLOCK))).isEqualTo(Errno.EOPNOTSUPP);
      }
      assertThat(errno(() -> file.allocate(0, 0, 0))).isEqualTo(Errno.EINVAL);
      assertThat(errno(() -> file.allocate(0, -1, 5))).isEqualTo(Errno.EINVAL);
      assertThat(errno(() -> file.allocate(0, 0, Long.MAX_VALUE))).isEqualTo(Errno.EFBIG);
    }
    assertThat(Files.mismatch(here, local)).isEqualTo(-1);
  }

  // ---- copy_file_range

  private Path beside(Path path) {
    return path.resolveSibling(path.getFileName() + ".copy");
  }

  private Change copy(long from, long at, long length) {
    return path -> {
      try (SystemFile source = SystemFile.open(path, READ_WRITE);
          SystemFile target = SystemFile.open(beside(path), READ_WRITE | CREATE)) {
        long wanted = Math.max(0, Math.min(length, Files.size(path) - from));
        assertThat(source.copyAll(from, target, at, length)).isEqualTo(wanted);
      }
    };
  }

  private void copiesAreAsLocally() throws IOException {
    for (Path path : List.of(here, there)) {
      assertThat(Files.size(beside(path))).isEqualTo(Files.size(beside(local)));
      assertThat(Files.mismatch(beside(path), beside(local))).isEqualTo(-1);
    }
  }

  @Test
  void copiesHaveTheBytesOfTheirSource() throws Exception {
    both(write(0, CHUNK + 3 * BLOCK));
    both(write(3 * CHUNK + 50, 5000));
    both(copy(0, 0, 5 * CHUNK));
    copiesAreAsLocally();
    // Into the middle, out of line, over the end, from behind the end.
    both(copy(100, 3 * BLOCK + 7, 2 * CHUNK));
    copiesAreAsLocally();
    both(copy(3 * CHUNK, 4 * CHUNK + 1, CHUNK));
    copiesAreAsLocally();
    both(copy(4 * CHUNK, 0, CHUNK));
    copiesAreAsLocally();
  }

  @Test
  void holesAreCopiedAsHoles() throws Exception {
    both(resize(2 * CHUNK));
    both(write(BLOCK, 3 * BLOCK));
    both(path -> write(0, 6 * BLOCK).to(beside(path)));
    both(copy(0, 0, 2 * CHUNK));
    copiesAreAsLocally();
    sync(beside(here));
    if (seeks()) {
      assertThat(map(beside(here))).isEqualTo("d4096 h16384");
      assertThat(map(beside(there))).isEqualTo("d4096 h16384");
    }
    assertThat(sectors(beside(there))).isEqualTo(3 * BLOCK / 512);
  }

  @Test
  void copiesGoNeitherThroughTheKernelNorThroughTheCaller() throws Exception {
    both(write(0, 2 * CHUNK));
    try (SystemFile source = SystemFile.open(here, READ_WRITE);
        SystemFile target = SystemFile.open(beside(here), READ_WRITE | CREATE)) {
      long read = calls(Operation.READ);
      assertThat(source.copyAll(0, target, 0, 2 * CHUNK)).isEqualTo(2 * CHUNK);
      if (seeks()) {
        assertThat(calls(Operation.READ)).isEqualTo(read);
        assertThat(calls(Operation.COPY_FILE_RANGE)).isPositive();
      }
    }
    assertThat(Files.mismatch(here, beside(there))).isEqualTo(-1);
  }

  private static long calls(Operation operation) {
    return a.statistics().of(operation).calls();
  }

  @Test
  void copiesIntoFilesThatAreOpenWithSyncAreOnTheDisks() throws Exception {
    write(0, 3 * BLOCK).to(here);
    int sync = 010000; // O_DSYNC
    try (SystemFile source = SystemFile.open(here, READ_WRITE);
        SystemFile plain = SystemFile.open(beside(here), READ_WRITE | CREATE);
        SystemFile synced = SystemFile.open(beside(here), READ_WRITE | sync)) {
      long before = flushes();
      source.copyAll(0, plain, 0, BLOCK);
      assertThat(flushes()).isEqualTo(before);
      source.copyAll(0, synced, 0, BLOCK);
      assertThat(flushes()).isGreaterThan(before);
    }
  }

  private static long flushes() {
    return cluster.volume.calls().stream().filter("flush"::equals).count();
  }

  /** The kernel reads into its page cache for it, which opening the file empties. */
  @Test
  void sendfileSeesWhatWasWrittenBeforeTheOpen() throws Exception {
    for (int round = 0; round < 3; round++) {
      write(round, 3 * BLOCK).to(round % 2 == 0 ? here : there);
      for (Path path : List.of(here, there)) {
        try (FileChannel from = FileChannel.open(path, StandardOpenOption.READ);
            FileChannel to =
                FileChannel.open(local, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
          assertThat(from.transferTo(0, 4 * BLOCK, to)).isEqualTo(3 * BLOCK + round);
        }
        assertThat(Files.mismatch(path, local)).isEqualTo(-1);
      }
    }
  }

  @Test
  void aRangeIsNotCopiedOverAPartOfItself() throws Exception {
    both(write(0, 4 * BLOCK));
    both(
        path -> {
          try (SystemFile file = SystemFile.open(path, READ_WRITE);
              SystemFile again = SystemFile.open(path, READ_WRITE)) {
            assertThat(errno(() -> file.copy(0, again, BLOCK, BLOCK + 1))).isEqualTo(Errno.EINVAL);
            assertThat(errno(() -> file.copy(BLOCK, again, 0, BLOCK + 1))).isEqualTo(Errno.EINVAL);
            assertThat(file.copyAll(0, again, 2 * BLOCK, 2 * BLOCK)).isEqualTo(2 * BLOCK);
            assertThat(file.copyAll(BLOCK, again, 4 * BLOCK, BLOCK)).isEqualTo(BLOCK);
          }
        });
    isAsLocally();
  }

  @Test
  void filesThatAreOpenForAppendingAreNoTargets() throws Exception {
    both(write(0, BLOCK));
    both(
        path -> {
          try (SystemFile file = SystemFile.open(path, READ_WRITE);
              SystemFile target = SystemFile.open(beside(path), READ_WRITE | CREATE | APPEND)) {
            assertThat(errno(() -> file.copy(0, target, 0, BLOCK))).isEqualTo(EBADF);
          }
        });
  }

  @Test
  void whatACopyOverwritesIsSeenThroughFilesThatAreOpenElsewhere() throws Exception {
    both(write(0, 3 * BLOCK));
    both(path -> write(7, 2 * BLOCK).to(beside(path)));
    try (FileChannel other = FileChannel.open(beside(there), StandardOpenOption.READ)) {
      ByteBuffer before = ByteBuffer.allocate(BLOCK);
      other.read(before, 0);
      both(copy(BLOCK, 10, BLOCK));
      ByteBuffer after = ByteBuffer.allocate(BLOCK);
      other.read(after, 0);
      assertThat(after.array()).isEqualTo(read(beside(local), BLOCK)).isNotEqualTo(before.array());
    }
  }

  private static byte[] read(Path path, int length) throws IOException {
    try (var in = Files.newInputStream(path)) {
      return in.readNBytes(length);
    }
  }

  @Test
  void toolsSeeTheSameFile() throws Exception {
    both(resize(3 * CHUNK));
    both(write(CHUNK + 100, 100_000));
    String copy =
        "cp --sparse=never %1$s tool; cp --sparse=auto %1$s auto; cmp %1$s auto; cmp %1$s tool; du -k auto | cut -f1; rm tool auto";
    String name = here.getFileName().toString();
    String got = Shell.run(a.mountPoint(), copy.formatted(name)).succeeds().text();
    assertThat(Long.parseLong(got)).isLessThanOrEqualTo(104);
    assertThat(Shell.run(b.mountPoint(), "md5sum < " + name).text())
        .isEqualTo(Shell.run(temp.resolve("local"), "md5sum < " + name).text());
  }
}
