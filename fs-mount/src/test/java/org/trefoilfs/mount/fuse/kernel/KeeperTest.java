package org.trefoilfs.mount.fuse.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.mount.fuse.Unmounter;

/** The process that keeps a mount's descriptors. */
class KeeperTest {
  @TempDir(cleanup = CleanupMode.NEVER)
  Path temp;

  @Test
  void hasWhatItKeepsAndNothingElseAndEndsWhenToldTo() throws Exception {
    Keeper.Descriptors kept =
        new Keeper.Descriptors(KernelTransport.open(), ProcessCalls.memory("kept"));
    int nowhere = Native.open("/dev/null");
    Keeper keeper = Keeper.start(kept, Duration.ofMinutes(1), nowhere);
    Native.close(nowhere);
    try {
      long pid = keeper.id().pid();
      Awaitility.await().until(() -> command(pid).startsWith("/bin/sh"));
      assertThat(descriptors(pid)).containsExactly("0", "1", "2", "3", "4", "5");
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      assertThat(stat.substring(stat.lastIndexOf(')')).split(" ")[4])
          .as("a session of its own")
          .isEqualTo(Long.toString(pid));

      ProcessId other = new ProcessId(pid, keeper.id().started() + 1);
      assertThat(Keeper.of(other)).as("another of the same number").isEmpty();
      Keeper found = Keeper.of(keeper.id()).orElseThrow();
      Keeper.Descriptors taken = found.descriptors().orElseThrow();
      assertThat(target(taken.device())).isEqualTo("/dev/fuse");
      assertThat(target(taken.table())).startsWith("/memfd:kept");
      Native.close(taken.device());
      Native.close(taken.table());
    } finally {
      keeper.end();
      Native.close(kept.device());
      Native.close(kept.table());
    }
    assertThat(keeper.id().lives()).isFalse();
    assertThat(Keeper.of(keeper.id())).isEmpty();
  }

  @Test
  void callsWaitForTheNextDaemonAndFailWhenNoneComesInTime() throws Exception {
    Path mnt = Files.createDirectory(temp.resolve("mnt"));
    Process daemon = daemon(mnt, "orphan_timeout=2s");
    try {
      ProcessId keeper = keeperOf(daemon);
      Awaitility.await().until(() -> Files.isDirectory(mnt));
      daemon.destroyForcibly().waitFor();
      assertThat(keeper.lives()).isTrue();
      Awaitility.await().until(() -> children(keeper.pid()) == 1);
      Keeper left = Keeper.of(keeper).orElseThrow();
      Keeper.Descriptors taken = left.descriptors().orElseThrow();
      left.leave();
      Native.close(taken.device());
      Native.close(taken.table());
      long began = System.nanoTime();
      Process call = new ProcessBuilder("stat", mnt + "/x").redirectErrorStream(true).start();
      assertThat(call.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(System.nanoTime() - began).isGreaterThan(500_000_000L);
      // Those that wait are ended with ECONNABORTED, and those that come later with ENOTCONN.
      assertThat(call.inputReader().readLine()).containsAnyOf("abort", "not connected");
      Awaitility.await().until(() -> !keeper.lives());
    } finally {
      daemon.destroyForcibly().waitFor();
      if (MountTable.at(mnt).isPresent()) {
        Unmounter.unmount(mnt, Unmounter.Manner.LAZY);
      }
      Files.delete(mnt);
      Files.delete(temp);
    }
  }

  /** The kernel gives the number of a mount that is gone to the next one. */
  @Test
  void endsNoOtherMountThatHasGotTheNumber() throws Exception {
    Path first = Files.createDirectory(temp.resolve("first"));
    Path second = Files.createDirectory(temp.resolve("second"));
    Process gone = daemon(first, "orphan_timeout=3s");
    @Nullable Process other = null;
    try {
      ProcessId keeper = keeperOf(gone);
      Awaitility.await().until(() -> Files.isDirectory(first));
      String number = MountTable.at(first).orElseThrow().device();
      gone.destroyForcibly().waitFor();
      Unmounter.unmount(first, Unmounter.Manner.LAZY);
      other = daemon(second, "");
      keeperOf(other);
      Awaitility.await().until(() -> MountTable.at(second).isPresent());
      assumeThat(MountTable.at(second).orElseThrow().device()).isEqualTo(number);
      Awaitility.await().until(() -> !keeper.lives());
      assertThat(Files.exists(second.resolve("nothing"))).isFalse();
      assertThat(Files.createFile(second.resolve("something"))).exists();
    } finally {
      gone.destroyForcibly().waitFor();
      if (other != null) {
        other.destroyForcibly().waitFor();
      }
      for (Path mnt : List.of(first, second)) {
        if (MountTable.at(mnt).isPresent()) {
          Unmounter.unmount(mnt, Unmounter.Manner.LAZY);
        }
        Files.delete(mnt);
      }
      Files.delete(temp);
    }
  }

  private static long children(long pid) {
    return ProcessHandle.of(pid).map(process -> process.children().count()).orElse(0L);
  }

  private static Process daemon(Path at, String options) throws IOException {
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "-Xmx64m",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            KeptMain.class.getName(),
            at.toString(),
            options)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static ProcessId keeperOf(Process daemon) {
    String line =
        daemon.inputReader().lines().filter(said -> said.startsWith("keeper ")).findFirst().get();
    String[] words = line.split(" ");
    return new ProcessId(Long.parseLong(words[1]), Long.parseLong(words[2]));
  }

  private static String command(long pid) throws IOException {
    return Files.readString(Path.of("/proc/" + pid + "/cmdline"));
  }

  private static List<String> descriptors(long pid) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String target(int descriptor) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
  }
}
