package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.trefoilfs.tools.library.TrefoilLibrary;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.CommandRun;

/** What an operator would check, with the commands that an operator has. */
final class Checks {
  private static final int HEALING_SECONDS = 300;

  /**
   * A commit index reaches the backups a few milliseconds after the primary; reading all of three
   * stores takes minutes on a busy machine.
   */
  private static final Duration SETTLING = Duration.ofMinutes(5);

  private Checks() {}

  /** {@code trefoil status --wait-in-sync}, asked of a host; returns how long it took. */
  static Duration awaitInSync(ClusterProcesses cluster, Path directory, int host) {
    long began = System.nanoTime();
    CommandRun run =
        trefoil(
            directory,
            "--cluster=" + cluster.address(host),
            "status",
            "--wait-in-sync=" + HEALING_SECONDS);
    assertThat(run.status()).as("%s%n%s", run.out(), run.err()).isZero();
    return Duration.ofNanos(System.nanoTime() - began);
  }

  /** {@code trefoil fsck} of every host: no damage, and the same chunks with the same bytes. */
  static String assertStoresEqual(ClusterProcesses cluster, Path directory, int hosts) {
    List<String> answers = new ArrayList<>();
    Awaitility.await()
        .atMost(SETTLING)
        .untilAsserted(
            () -> {
              answers.clear();
              for (int host = 1; host <= hosts; host++) {
                CommandRun run = trefoil(directory, "fsck", "--data=" + cluster.data(host));
                assertThat(run.status()).as("%s%n%s", run.out(), run.err()).isZero();
                assertThat(run.out()).contains("no problems");
                answers.add(run.out().lines().findFirst().orElseThrow());
              }
              assertThat(answers).as("of every host").containsOnly(answers.getFirst());
            });
    return answers.getFirst();
  }

  private static CommandRun trefoil(Path directory, String... arguments) {
    return new CommandRun.Setting(new TrefoilLibrary(), directory).run(arguments);
  }
}
