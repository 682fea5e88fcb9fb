package org.trefoilfs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.library.FsckResult;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.support.ClusterProcesses;

/** Real daemons, real mounts through both transports, real kills. */
class ClusterEndToEndTest {
  /** What flock(1) exits with when somebody else has the lock. */
  private static final int LOCKED = 1;

  @TempDir Path directory;

  @Test
  void whatOneMountWroteIsAtTheOthersAndOnEveryDiskAfterAHostWasKilled() throws Exception {
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, 3)) {
      cluster.createVolume("work", 3);
      Path first = cluster.mount(1, "work");
      Path second = cluster.mount(2, "work");
      Path third = cluster.mount(3, "work", FuseTransportKind.KERNEL);
      Files.writeString(first.resolve("before"), "written by the first");
      assertThat(second.resolve("before")).hasContent("written by the first");
      assertThat(third.resolve("before")).hasContent("written by the first");
      Process holder = flock(third, "-F", "sleep", "1000");
      Awaitility.await().until(() -> flock(first, "-n", "true").waitFor() == LOCKED);
      Process waiting = flock(first, "-x", "true");

      cluster.kill(3);
      holder.destroyForcibly();
      Files.writeString(second.resolve("during"), "written while one was dead");
      assertThat(first.resolve("during")).hasContent("written while one was dead");
      cluster.restart(3);
      cluster.awaitInSync();
      assertThat(third.resolve("during"))
          .as("served again")
          .hasContent("written while one was dead");
      assertThat(waiting.waitFor(30, TimeUnit.SECONDS)).as("got the dead mount's lock").isTrue();
      assertThat(waiting.exitValue()).isZero();
      assertThat(flock(third, "-n", "true").waitFor()).isZero();
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () -> {
                FsckResult wanted = cluster.fsck(1);
                assertThat(wanted.problems()).isEmpty();
                assertThat(wanted.chunks()).isEqualTo(2);
                assertThat(cluster.fsck(2)).isEqualTo(wanted);
                assertThat(cluster.fsck(3)).isEqualTo(wanted);
              });
    }
    assertThat(MountPoints.isMounted(directory.resolve("mnt1"))).isFalse();
  }

  /** Runs a command with the lock of the file "before", exclusive. */
  private static Process flock(Path mount, String option, String... command) throws IOException {
    List<String> line =
        new ArrayList<>(List.of("flock", option, mount.resolve("before").toString()));
    line.addAll(List.of(command));
    return new ProcessBuilder(line).start();
  }

  @Test
  void everythingIsThereAfterAllHostsWereKilled() throws Exception {
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, 3)) {
      cluster.createVolume("work", 3);
      Path first = cluster.mount(1, "work");
      Files.writeString(first.resolve("kept"), "kept");
      for (int host = 1; host <= 3; host++) {
        cluster.kill(host);
      }
      cluster.restartAll();
      cluster.awaitInSync();
      assertThat(first.resolve("kept")).hasContent("kept");
    }
  }
}
