package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.fuse.MountOptions.Flag;
import org.trefoilfs.mount.testing.MemoryMount;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;

/** Mounting and unmounting, and what is said when that cannot be; through each transport. */
@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"libfuse", "kernel"})
class MountingTest {
  @Parameter String transport;
  @TempDir Path temp;
  private TestCluster cluster;

  @BeforeEach
  void open() {
    cluster = new TestCluster(transport);
  }

  @AfterEach
  void close() {
    cluster.close();
    await().until(() -> MountTable.all().stream().noneMatch(m -> under(m.mountPoint())));
  }

  private boolean under(String mountPoint) {
    return mountPoint.startsWith(temp.toString());
  }

  @Test
  void unmountFromOutsideEndsTheSession() throws Exception {
    MountHandle mount = cluster.mount(temp.resolve("m"), "");
    Shell.run(temp, "umount m").succeeds();
    assertThat(mount.awaitExit(Duration.ofSeconds(5))).isTrue();
    assertThat(mount.mounted()).isFalse();
    mount.unmount();
  }

  @Test
  void mountInUseIsRefusedPlainlyAndDetachedByItsHandle() throws Exception {
    MountHandle mount = cluster.mount(temp.resolve("m"), "");
    try (FileChannel open =
        FileChannel.open(
            temp.resolve("m/f"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      assertFails(
          Reason.BUSY,
          "fuser -vm",
          () -> Unmounter.unmount(temp.resolve("m"), Unmounter.Manner.PLAIN));
      Unmounter.unmount(temp.resolve("m"), Unmounter.Manner.LAZY);
      assertThat(temp.resolve("m/f")).doesNotExist();
      assertThat(mount.mounted()).isTrue();
      assertThat(open.size()).isZero();
    }
    assertThat(mount.awaitExit(Duration.ofSeconds(5))).isTrue();
  }

  @Test
  void mountOfADeadDaemonIsTakenAway() throws Exception {
    Path point = Files.createDirectory(temp.resolve("dead mount"));
    Process daemon =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx128m",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                MemoryMount.class.getName(),
                point.toString(),
                "orphan_timeout=1",
                transport)
            .redirectErrorStream(true)
            .redirectOutput(temp.resolve("log").toFile())
            .start();
    try {
      await().atMost(Duration.ofSeconds(20)).until(() -> MountTable.at(point).isPresent());
    } finally {
      daemon.destroyForcibly().waitFor();
    }
    // It may have been killed before it had a keeper, or after: who asks then waits for that one.
    await()
        .untilAsserted(
            () ->
                assertThatThrownBy(() -> Files.readAttributes(point, "unix:ino"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("not connected"));
    assertFails(
        Reason.BUSY,
        "trefoil unmount",
        () -> Prerequisites.check(point, MountOptions.defaults("trefoil:x")));
    Unmounter.unmount(point, Unmounter.Manner.PLAIN);
    assertThat(MountTable.at(point)).isEmpty();
    assertFails(
        Reason.NOT_FOUND,
        "nothing is mounted",
        () -> Unmounter.unmount(point, Unmounter.Manner.LAZY));
  }

  @Test
  void badMountPointsAreNamedWithTheRemedy() throws Exception {
    Files.writeString(temp.resolve("file"), "");
    Files.createDirectories(temp.resolve("full/inner"));
    MountOptions options = MountOptions.defaults("trefoil:x");
    assertFails(
        Reason.NOT_FOUND, "mkdir -p", () -> Prerequisites.check(temp.resolve("none"), options));
    assertFails(
        Reason.NOT_DIRECTORY,
        "not a directory",
        () -> Prerequisites.check(temp.resolve("file"), options));
    assertFails(
        Reason.NOT_EMPTY, "not empty", () -> Prerequisites.check(temp.resolve("full"), options));
    assertFails(
        Reason.NOT_SUPPORTED,
        "modprobe fuse",
        () -> Prerequisites.checkDevice(temp.resolve("fuse")));
  }

  @Test
  void readOnlyMountRefusesWrites() throws Exception {
    cluster.mount(temp.resolve("m"), "ro");
    assertThatThrownBy(() -> Files.createFile(temp.resolve("m/f")))
        .hasMessageContaining("Read-only file system");
  }

  @Test
  void syncMountFlushesEveryWrite() throws Exception {
    cluster.mount(temp.resolve("m"), "sync");
    Files.writeString(temp.resolve("m/f"), "data");
    assertThat(cluster.volume.calls()).containsExactly("write 0+4", "flush");
  }

  @Test
  void pageCacheMountAllowsSharedMappings() throws Exception {
    cluster.mount(temp.resolve("m"), "page_cache");
    Path file = Files.writeString(temp.resolve("m/f"), "0123456789");
    try (FileChannel open =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      var mapped = open.map(FileChannel.MapMode.READ_WRITE, 0, 10);
      mapped.put(3, (byte) 'x');
      mapped.force();
    }
    assertThat(file).hasContent("012x456789");
  }

  @Test
  void optionsAreParsedOrRefusedByName() {
    MountOptions options = MountOptions.parse("ro,rw,sync,timeout=5s,threads=3,defaults", "s");
    assertThat(options.flags()).contains(Flag.SYNC).doesNotContain(Flag.READ_ONLY);
    assertThat(options.timeout()).contains(Duration.ofSeconds(5));
    assertThat(options.threads()).isEqualTo(3);
    assertThat(MountOptions.parse("ro", "s").has(Flag.READ_ONLY)).isTrue();
    assertThat(MountOptions.parse("only_me", "s").has(Flag.ALLOW_OTHER)).isFalse();
    assertFails(Reason.INVALID, "'fast'; there are: ro", () -> MountOptions.parse("fast", "s"));
    assertFails(Reason.INVALID, "'soon'", () -> MountOptions.parse("timeout=soon", "s"));
    assertFails(Reason.INVALID, "1 to 1024", () -> MountOptions.parse("threads=0", "s"));
  }

  @Test
  void unknownTransportIsNamedWithTheOnesThereAre() {
    assertFails(
        Reason.INVALID,
        "'tcp'; use --transport libfuse or kernel",
        () -> FuseTransport.named("tcp", SystemTime.INSTANCE));
  }

  private static void assertFails(Reason reason, String remedy, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining(remedy);
  }
}
