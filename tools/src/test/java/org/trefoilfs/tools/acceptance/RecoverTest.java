package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.recover.LossHistory;
import org.trefoilfs.tools.recover.RecoverReport;
import org.trefoilfs.tools.recover.RecoverReport.Closed;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.CommandRun;

/** All of three hosts are killed at once, and the disk of one is gone. */
final class RecoverTest {
  private static final int HOSTS = 3;
  private static final int GONE = 2;
  private static final int FILES = 12;
  private static final int FILE_BYTES = 300_000;
  private static final Duration NOTICING = Duration.ofSeconds(60);

  @TempDir Path directory;

  @Test
  void theOperatorOpensWhatIsLeftAndRemovesTheHost() throws Exception {
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, HOSTS)) {
      cluster.createVolume("work", 2);
      write(cluster.mount(1, "work"));
      cluster.killAll();
      cluster.lose(GONE);
      cluster.restartAll();

      int closed = awaitClosedForWantOfTheHost();
      CommandRun looked = trefoil("recover");
      assertThat(looked.out()).contains("missing: host host2 (h", "trefoil recover --accept-loss");
      assertThat(looked.status()).isZero();
      CommandRun tooEarly = trefoil("host", "remove", "host2");
      assertThat(tooEarly.err()).contains("are closed and wait for it");
      assertThat(tooEarly.status()).isEqualTo(5);
      assertThat(cluster.status(1).cluster().groups().unavailable()).isEqualTo(closed);

      CommandRun accepted = trefoil("recover", "--accept-loss", "--operator=ann");
      assertThat(accepted.out()).contains(closed + " groups were opened; recorded as ");
      assertThat(accepted.status()).as(accepted.err()).isZero();
      assertRecorded(closed);
      awaitMounted(cluster);
      assertReadable(cluster.mountPoint(1));

      CommandRun removed = trefoil("host", "remove", "host2");
      assertThat(removed.out()).as(removed.err()).isEqualTo("host host2 removed\n");
      cluster.awaitInSync();
      assertReadable(cluster.mount(3, "work"));
      assertRecorded(closed);
      Figures.say("%d groups were opened without host2, and are on two hosts again", closed);
    }
  }

  private void write(Path mount) throws IOException {
    Random random = new Random(5);
    for (int file = 0; file < FILES; file++) {
      byte[] content = new byte[FILE_BYTES];
      random.nextBytes(content);
      Files.write(mount.resolve("file-" + file), content);
    }
  }

  private void assertReadable(Path mount) throws IOException {
    Random random = new Random(5);
    for (int file = 0; file < FILES; file++) {
      byte[] content = new byte[FILE_BYTES];
      random.nextBytes(content);
      assertThat(Files.readAllBytes(mount.resolve("file-" + file))).isEqualTo(content);
    }
  }

  /** Every group that is closed waits for the host that is gone; how many. */
  private int awaitClosedForWantOfTheHost() {
    return Awaitility.await()
        .atMost(NOTICING)
        .until(
            () -> {
              RecoverReport report =
                  Json.read(trefoil("recover", "--json").out().getBytes(), RecoverReport.class);
              List<RecoverReport.Pool> pools = report.loss().pools();
              Closed closed = pools.isEmpty() ? null : pools.getFirst().closed();
              boolean settled = closed != null && closed.openable() == closed.total();
              return settled ? closed.total() : 0;
            },
            count -> count > 0);
  }

  private void assertRecorded(int groups) {
    LossHistory history =
        Json.read(trefoil("recover", "--history", "--json").out().getBytes(), LossHistory.class);
    assertThat(history.losses()).hasSize(1);
    LossHistory.Entry entry = history.losses().getFirst();
    assertThat(entry.choice().operator()).isEqualTo("ann");
    assertThat(entry.choice().missing()).containsExactly("host2");
    assertThat(entry.groups()).hasSize(groups);
  }

  private static void awaitMounted(ClusterProcesses cluster) {
    Awaitility.await()
        .atMost(NOTICING)
        .until(
            () ->
                cluster.status(1).activity().mounts().stream()
                    .anyMatch(mount -> mount.state().equals("mounted")));
  }

  private CommandRun trefoil(String... arguments) {
    return CommandRun.Setting.real(directory)
        .with("TREFOIL_DATA", directory.resolve("host1").toString())
        .run(arguments);
  }
}
