package org.trefoilfs.mount.fuse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.mount.vfs.Vfs;

/** Two mounts of one volume: what one has done, the other sees in its next call. */
@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"libfuse", "kernel", "libfuse async", "kernel async"})
class CoherenceTest {
  private static TestCluster cluster;

  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temp;

  private static Path a;
  private static Path b;
  private static Vfs vfsOfB;
  @Parameter String transport;

  @AfterAll
  static void removeMountPoints() throws IOException {
    Files.delete(temp);
  }

  @BeforeParameterizedClassInvocation
  static void mount(String transport) throws Exception {
    cluster = new TestCluster(transport);
    a = cluster.mount(temp.resolve("a"), "threads=8").mountPoint();
    vfsOfB = cluster.vfs();
    b = cluster.mount(vfsOfB, temp.resolve("b"), "threads=8").mountPoint();
  }

  @AfterParameterizedClassInvocation
  static void unmount() throws Exception {
    cluster.close();
    Files.delete(a);
    Files.delete(b);
  }

  @Test
  void writesAreRead() throws Exception {
    Path there = b.resolve("written");
    Files.write(a.resolve("written"), new byte[100_000]);
    try (FileChannel writer = FileChannel.open(a.resolve("written"), StandardOpenOption.WRITE);
        FileChannel reader = FileChannel.open(there, StandardOpenOption.READ)) {
      for (int i = 0; i < 100; i++) {
        byte[] data = ("round " + i).getBytes(UTF_8);
        writer.write(ByteBuffer.wrap(data), i * 977L);
        ByteBuffer got = ByteBuffer.allocate(data.length);
        reader.read(got, i * 977L);
        assertThat(got.array()).isEqualTo(data);
      }
    }
  }

  @Test
  void appendsAlternateWithoutLoss() throws Exception {
    Files.createFile(a.resolve("log"));
    try (FileChannel here = FileChannel.open(a.resolve("log"), StandardOpenOption.APPEND);
        FileChannel there = FileChannel.open(b.resolve("log"), StandardOpenOption.APPEND)) {
      for (int i = 0; i < 50; i++) {
        here.write(ByteBuffer.wrap("a".getBytes(UTF_8)));
        assertThat(there.size()).isEqualTo(2 * i + 1);
        there.write(ByteBuffer.wrap("b".getBytes(UTF_8)));
        assertThat(here.size()).isEqualTo(2 * i + 2);
      }
    }
    assertThat(Files.readString(a.resolve("log"))).isEqualTo("ab".repeat(50));
  }

  @Test
  void appendsOfTwoMountsAtOnceAreAllKept() throws Exception {
    Files.createFile(a.resolve("shared-log"));
    String lines = "for i in $(seq 60); do echo %s-$i-0123456789; done >> shared-log";
    try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writers = new ArrayList<>();
      for (String name : List.of("w1", "w2", "w3", "w4")) {
        Path mount = name.compareTo("w3") < 0 ? a : b;
        writers.add(pool.submit(() -> Shell.run(mount, lines.formatted(name)).succeeds()));
      }
      for (Future<?> writer : writers) {
        writer.get(60, TimeUnit.SECONDS);
      }
    }
    List<String> wanted = new ArrayList<>();
    for (String name : List.of("w1", "w2", "w3", "w4")) {
      IntStream.rangeClosed(1, 60).forEach(i -> wanted.add(name + "-" + i + "-0123456789"));
    }
    assertThat(Files.readAllLines(a.resolve("shared-log")))
        .containsExactlyInAnyOrderElementsOf(wanted);
    assertThat(Files.readAllBytes(b.resolve("shared-log")))
        .isEqualTo(Files.readAllBytes(a.resolve("shared-log")));
  }

  @Test
  void truncationIsSeenByReaderAndByWriter() throws Exception {
    Files.writeString(a.resolve("cut"), "0123456789");
    try (FileChannel open =
        FileChannel.open(a.resolve("cut"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Shell.run(b, "truncate -s 4 cut").succeeds();
      assertThat(open.size()).isEqualTo(4);
      assertThat(open.read(ByteBuffer.allocate(10), 4)).isEqualTo(-1);
      open.write(ByteBuffer.wrap("x".getBytes(UTF_8)), 6);
      assertThat(Files.readAllBytes(b.resolve("cut"))).isEqualTo("0123\0\0x".getBytes(UTF_8));
    }
  }

  @Test
  void openFileIsItselfWhateverTheOtherMountDoesToItsName() throws Exception {
    Files.writeString(a.resolve("moving"), "one");
    try (FileChannel open = FileChannel.open(a.resolve("moving"), StandardOpenOption.APPEND)) {
      Files.move(b.resolve("moving"), b.resolve("moved"));
      Files.writeString(b.resolve("moving"), "another");
      open.write(ByteBuffer.wrap(" two".getBytes(UTF_8)));
      assertThat(open.size()).isEqualTo(7);
    }
    assertThat(b.resolve("moved")).hasContent("one two");
    assertThat(a.resolve("moving")).hasContent("another");
  }

  @Test
  void unlinkedElsewhereAnOpenFileIsKept() throws Exception {
    Files.writeString(b.resolve("held"), "kept");
    try (FileChannel open =
        FileChannel.open(b.resolve("held"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Files.delete(a.resolve("held"));
      assertThat(b.resolve("held")).doesNotExist();
      vfsOfB.orphans().poll().join();
      open.write(ByteBuffer.wrap("more".getBytes(UTF_8)), 4);
      ByteBuffer got = ByteBuffer.allocate(10);
      open.read(got, 0);
      assertThat(new String(got.array(), 0, got.position(), UTF_8)).isEqualTo("keptmore");
      assertThat(open.size()).isEqualTo(8);
    }
  }

  @Test
  void namesComeAndGo() throws Exception {
    assertThat(b.resolve("name")).doesNotExist();
    Files.createFile(a.resolve("name"));
    assertThat(b.resolve("name")).exists();
    assertThatThrownBy(() -> Files.createFile(b.resolve("name")))
        .isInstanceOf(FileAlreadyExistsException.class);
    Files.delete(b.resolve("name"));
    assertThat(a.resolve("name")).doesNotExist();
    Files.createDirectory(a.resolve("name"));
    assertThat(b.resolve("name")).isDirectory();
    Files.createFile(b.resolve("name/inner"));
    Files.move(a.resolve("name"), a.resolve("other"));
    assertThat(b.resolve("other/inner")).exists();
    try (var list = Files.list(b.resolve("other"))) {
      assertThat(list).hasSize(1);
    }
  }

  @Test
  void attributesAreNeverRemembered() throws Exception {
    Path here = Files.createFile(a.resolve("attributes"));
    Path there = b.resolve("attributes");
    for (String mode : new String[] {"rwx------", "r--r--r--", "rw-rw-rw-"}) {
      Files.setPosixFilePermissions(here, PosixFilePermissions.fromString(mode));
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(there)))
          .isEqualTo(mode);
    }
    for (String value : new String[] {"1", "22", "333"}) {
      Shell.run(a, "setfattr -n user.k -v " + value + " attributes").succeeds();
      assertThat(Shell.run(b, "getfattr --only-values -n user.k attributes").text())
          .isEqualTo(value);
    }
    FileTime time = FileTime.fromMillis(1234567890123L);
    Files.setLastModifiedTime(here, time);
    assertThat(Files.getLastModifiedTime(there)).isEqualTo(time);
  }

  @Test
  void timeOfAWriteInPlaceReachesTheOtherMountWhileTheFileStaysOpen() throws Exception {
    Path here = Files.writeString(a.resolve("time"), "0123456789");
    Files.setLastModifiedTime(here, FileTime.fromMillis(0));
    try (FileChannel open = FileChannel.open(here, StandardOpenOption.WRITE)) {
      open.write(ByteBuffer.wrap(new byte[1]), 0);
      await().until(() -> modified(b.resolve("time")) > 0);
      FileTime seen = Files.getLastModifiedTime(b.resolve("time"));
      assertThat(Files.getLastModifiedTime(here)).isEqualTo(seen);
    }
  }

  private static long modified(Path path) throws IOException {
    return Files.getLastModifiedTime(path).toMillis();
  }

  @Test
  void disjointExtendingWritesFromBothMountsAreAllKept() throws Exception {
    Files.createFile(a.resolve("both"));
    int block = 4096;
    Random random = new Random(7);
    try (FileChannel here = FileChannel.open(a.resolve("both"), StandardOpenOption.WRITE);
        FileChannel there = FileChannel.open(b.resolve("both"), StandardOpenOption.WRITE)) {
      Thread other =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 200; i++) {
                      write(there, i * 2L + 1, block);
                    }
                  });
      for (int i = 0; i < 200; i++) {
        write(here, i * 2L, block);
        if (random.nextInt(8) == 0) {
          Thread.yield();
        }
      }
      other.join();
    }
    byte[] all = Files.readAllBytes(b.resolve("both"));
    assertThat(all).hasSize(400 * block).doesNotContain((byte) 0);
  }

  private static void write(FileChannel channel, long block, int size) {
    byte[] data = new byte[size];
    java.util.Arrays.fill(data, (byte) 1);
    try {
      channel.write(ByteBuffer.wrap(data), block * size);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
