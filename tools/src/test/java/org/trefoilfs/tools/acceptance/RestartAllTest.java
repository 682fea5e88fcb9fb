package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.support.ClusterProcesses;

/** All hosts stop, in good order or at once; then all start. */
final class RestartAllTest {
  private static final int HOSTS = 3;

  /** Acknowledgements of each writer before the hosts are killed. */
  private static final int ACKNOWLEDGED = 150;

  private static final Duration WRITING = Duration.ofMinutes(3);

  @TempDir Path directory;

  @AfterEach
  void removeSource() {
    Trees.remove(directory.resolve("source"));
  }

  @Test
  void everythingIsThereAfterAllHostsWereStoppedAndStarted() throws Exception {
    Path source = Files.createDirectory(directory.resolve("source"));
    Trees.real(source.resolve("real"), Sizes.chosen().killFiles());
    Trees.specials(source.resolve("specials"));
    Files.delete(source.resolve("specials/sizes/6GiB"));
    try (ClusterProcesses cluster = started()) {
      Trees.copy(source, cluster.mountPoint(1));
      for (int host = 1; host <= HOSTS; host++) {
        cluster.stop(host);
      }
      restart(cluster);
      for (int host = 1; host <= HOSTS; host++) {
        Trees.assertEqual(source, cluster.mountPoint(host).resolve("source"));
      }
      Checks.assertStoresEqual(cluster, directory, HOSTS);
    }
  }

  @Test
  void everythingAcknowledgedIsThereAfterAllHostsWereKilledAtOnce() throws Exception {
    try (ClusterProcesses cluster = started()) {
      for (int round = 1; round <= 2; round++) {
        List<String> acknowledged = writeUntilAllAreKilled(cluster, round);
        restart(cluster);
        int count = 0;
        for (int writer = 1; writer <= HOSTS; writer++) {
          for (int host = 1; host <= HOSTS; host++) {
            count +=
                AcknowledgedWriter.check(
                    cluster.mountPoint(host).resolve(name(round, writer)),
                    acknowledged.get(writer - 1));
          }
        }
        Figures.say(
            "round %d: all of %d acknowledgements hold at each mount", round, count / HOSTS);
        Checks.assertStoresEqual(cluster, directory, HOSTS);
      }
    }
  }

  private ClusterProcesses started() {
    return ClusterProcesses.start(directory, HOSTS).mountedEverywhere("work", CommitMode.SYNC);
  }

  private void restart(ClusterProcesses cluster) {
    long began = System.nanoTime();
    cluster.restartAll();
    cluster.awaitInSync();
    Checks.awaitInSync(cluster, directory, 1);
    Figures.say("all started and in sync in %d ms", (System.nanoTime() - began) / 1_000_000);
  }

  /** A writer at each mount; what each has said when all hosts were killed. */
  private static List<String> writeUntilAllAreKilled(ClusterProcesses cluster, int round) {
    List<Companion> writers = new ArrayList<>();
    try {
      for (int host = 1; host <= HOSTS; host++) {
        Path place = cluster.mountPoint(host).resolve(name(round, host));
        writers.add(AcknowledgedWriter.start(place, 10L * round + host));
      }
      Awaitility.await()
          .atMost(WRITING)
          .until(() -> writers.stream().allMatch(w -> w.output().lines().count() > ACKNOWLEDGED));
      cluster.killAll();
      List<String> said = new ArrayList<>();
      for (Companion writer : writers) {
        said.add(writer.stop());
      }
      assertThat(said)
          .as("each met the end of its mount")
          .allMatch(text -> text.contains("xception"));
      return said;
    } finally {
      writers.forEach(Companion::close);
    }
  }

  private static String name(int round, int writer) {
    return "round-" + round + "-writer-" + writer;
  }
}
