package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.StallLimit;

/**
 * Each of three hosts in turn is killed in the middle of a copy through another host's mount. Each
 * is primary of a third of the groups; one of them leads the state log.
 */
final class KillTest {
  private static final int HOSTS = 3;

  /** Of one call: failure detection, an election, and one view change. */
  private static final long LONGEST_STALL_MILLIS = StallLimit.chosen().toMillis();

  @TempDir Path directory;

  @AfterEach
  void removeSource() {
    Trees.remove(directory.resolve("source"));
  }

  @Test
  void copyThroughAnotherMountEndsWithoutErrorWhicheverHostIsKilled() throws Exception {
    Path source = Files.createDirectory(directory.resolve("source"));
    int files = Trees.real(source, Sizes.chosen().killFiles());
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, HOSTS)) {
      cluster.createVolume("work", HOSTS);
      for (int host = 1; host <= HOSTS; host++) {
        cluster.mount(host, "work");
      }
      for (int killed = 1; killed <= HOSTS; killed++) {
        int survivor = killed % HOSTS + 1;
        boolean leads = leads(cluster, survivor, killed);
        copyWhileKilling(cluster, killed, survivor, source);
        Figures.say("host%d was killed (leader: %s, %d files)", killed, leads, files);
      }
    }
  }

  private void copyWhileKilling(ClusterProcesses cluster, int killed, int survivor, Path source)
      throws Exception {
    String name = "copy-" + killed;
    Path mount = cluster.mountPoint(survivor);
    StallProbe.Result stalls;
    long copied;
    try (Companion probe = StallProbe.start(mount.resolve("probe-" + killed))) {
      long began = System.nanoTime();
      killInTheMiddleOf(copying(source, mount.resolve(name)), cluster, killed);
      copied = System.nanoTime() - began;
      stalls = StallProbe.Result.of(probe.stop());
    }
    Figures.say("copied in %d ms; worst calls (ms) %s", copied / 1_000_000, stalls);
    Trees.assertEqual(source, mount.resolve(name));
    long began = System.nanoTime();
    cluster.restart(killed);
    Figures.say("started again in %d ms", (System.nanoTime() - began) / 1_000_000);
    Figures.say("in sync after %d ms", Checks.awaitInSync(cluster, directory, survivor).toMillis());
    cluster.awaitInSync();
    for (int host = 1; host <= HOSTS; host++) {
      Trees.assertEqual(source, cluster.mountPoint(host).resolve(name));
    }
    Figures.say("fsck: %s", Checks.assertStoresEqual(cluster, directory, HOSTS));
    assertThat(stalls.stall())
        .as("worst stall of a call in ms: %s", stalls)
        .isLessThan(LONGEST_STALL_MILLIS);
  }

  private static boolean leads(ClusterProcesses cluster, int asked, int host) {
    return cluster.status(asked).hosts().stream()
        .anyMatch(line -> line.name().equals("host" + host) && line.role().equals("leader"));
  }

  private static Process copying(Path source, Path target) throws IOException {
    return new ProcessBuilder("cp", "-av", source.toString(), target.toString())
        .redirectErrorStream(true)
        .start();
  }

  /** Kills the host when a third of the copy is done. */
  private void killInTheMiddleOf(Process copy, ClusterProcesses cluster, int host)
      throws Exception {
    long total = Trees.entries(directory.resolve("source"));
    StringBuilder errors = new StringBuilder();
    long copied = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(copy.getInputStream(), StandardCharsets.ISO_8859_1))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("cp: ")) {
          errors.append(line).append('\n');
        }
        if (++copied == total / 3) {
          cluster.kill(host);
          assertThat(copy.isAlive()).as("the copy is under way").isTrue();
        }
      }
    }
    assertThat(copy.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(copy.exitValue()).as("cp: %s", errors).isZero();
    assertThat(cluster.isRunning(host)).as("the host was killed during the copy").isFalse();
  }
}
