package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.StallLimit;
import org.trefoilfs.tools.support.SteadyWriter;

/** Two hosts store everything twice, a third only votes. Each of the three in turn is killed. */
final class WitnessTest {
  private static final int WITNESS = 3;
  private static final int FILES_BEFORE = 5;
  private static final int FILES_AFTER = 20;
  private static final Duration JOINING = Duration.ofSeconds(60);

  @TempDir Path directory;

  @Test
  void writesGoOnWhicheverOfTheThreeIsKilled() throws Exception {
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, 2)) {
      assertThat(cluster.status(1).warnings())
          .anyMatch(warning -> warning.startsWith("two hosts without a witness"));
      cluster.add(WITNESS, HostConfig.empty().with(Key.WITNESS, "true"));
      cluster.createVolume("work", 2);
      cluster.mount(1, "work");
      cluster.mount(2, "work");
      awaitThreeVoters(cluster);
      assertThat(cluster.status(1).warnings()).isEmpty();
      for (int killed : new int[] {2, WITNESS, 1}) {
        int survivor = killed == 1 ? 2 : 1;
        int files = writeWhileKilling(cluster, killed, survivor);
        cluster.restart(killed);
        cluster.awaitInSync();
        for (int host = 1; host <= 2; host++) {
          SteadyWriter.verify(cluster.mountPoint(host).resolve("killed-" + killed), files);
        }
      }
    }
  }

  private static int writeWhileKilling(ClusterProcesses cluster, int killed, int survivor)
      throws Exception {
    Path place = Files.createDirectory(cluster.mountPoint(survivor).resolve("killed-" + killed));
    try (SteadyWriter writer = SteadyWriter.start(place)) {
      writer.awaitFiles(FILES_BEFORE);
      cluster.kill(killed);
      writer.awaitFiles(FILES_AFTER);
      Figures.say("host%d was killed: %s", killed, writer.end());
      assertThat(writer.longest()).isLessThan(StallLimit.chosen());
      SteadyWriter.verify(place, writer.files());
      return writer.files();
    }
  }

  /** The second host votes only once there is a third. */
  private static void awaitThreeVoters(ClusterProcesses cluster) {
    Awaitility.await()
        .atMost(JOINING)
        .until(
            () ->
                cluster.status(1).hosts().stream()
                    .anyMatch(
                        host ->
                            host.name().equals("host2")
                                && Set.of("voter", "leader").contains(host.role())));
  }
}
