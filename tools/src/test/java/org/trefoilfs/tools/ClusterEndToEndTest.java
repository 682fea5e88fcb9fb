package org.trefoilfs.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
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

      cluster.kill(3);
      CompletableFuture<String> waiting =
          CompletableFuture.supplyAsync(() -> contentOf(third.resolve("before")));
      Files.writeString(second.resolve("during"), "written while one was dead");
      assertThat(first.resolve("during")).hasContent("written while one was dead");
      assertThat(waiting).as("a call on the dead host's mount").isNotDone();

      cluster.restart(3);
      cluster.awaitInSync();
      assertThat(third.resolve("during"))
          .as("served again")
          .hasContent("written while one was dead");
      assertThat(waiting.get(10, TimeUnit.SECONDS)).isEqualTo("written by the first");
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

  private static String contentOf(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
