package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.library.FsckResult;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Filler;
import org.trefoilfs.tools.support.LoopDisks;
import org.trefoilfs.tools.support.StallLimit;

/** Hosts on small disks that fill up: writers are told, nothing breaks, deleting makes room. */
class FullDiskTest {
  private static final int HOSTS = 3;
  private static final int DISK_MEGABYTES = 256;

  /** A writer near the end of a disk is slowed, and told when there is no more. */
  private static final Duration CALL_MAX = StallLimit.chosen();

  private static final Duration RECLAIMED = Duration.ofSeconds(30);

  @TempDir static Path directory;
  private static LoopDisks disks;
  private static ClusterProcesses cluster;
  private static List<Long> pids;

  @BeforeAll
  static void start() throws IOException {
    disks = new LoopDisks(directory);
    for (int host = 1; host <= HOSTS; host++) {
      disks.mount(directory.resolve("host" + host), DISK_MEGABYTES);
    }
    cluster = ClusterProcesses.start(directory, HOSTS);
    cluster.createVolume("work", HOSTS);
    for (int host = 1; host <= HOSTS; host++) {
      cluster.mount(host, "work");
    }
    pids = pids();
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
    if (disks != null) {
      disks.close();
    }
  }

  private static List<Long> pids() {
    return IntStream.rangeClosed(1, HOSTS).mapToObj(cluster::pid).toList();
  }

  @Test
  void oneFullDiskStopsWritersWithEnospcAndDeletingMakesRoom() throws IOException {
    Path ballast = LoopDisks.ballast(cluster.data(2), DISK_MEGABYTES / 4);
    fillAndMakeRoom("one disk full");
    Files.delete(ballast);
  }

  @Test
  void fullDisksEverywhereStopWritersWithEnospcAndDeletingMakesRoom() throws IOException {
    fillAndMakeRoom("all disks full");
  }

  /**
   * Not Trefoil's doing, so its reserve is gone, too: the host may drop out, the others may not.
   */
  @Test
  void diskThatOthersFilledHoldsUpNobodyForLong() throws IOException {
    Path tree = Files.createDirectory(cluster.mountPoint(1).resolve("filled by others"));
    Filler filler = new Filler(tree);
    filler.write(tree, "before");
    Path ballast = LoopDisks.fill(cluster.data(3));
    for (int i = 0; i < 4; i++) {
      try {
        filler.write(tree, "while " + i);
      } catch (IOException e) {
        assertThat(e).hasMessageContaining("No space left on device");
      }
      Files.deleteIfExists(tree.resolve("while " + i));
    }
    System.out.printf("filled by others: longest call %d ms%n", filler.longest().toMillis());
    assertThat(filler.longest()).isLessThan(CALL_MAX);
    Files.delete(ballast);
    cluster.stop(3);
    cluster.restart(3);
    cluster.awaitInSync();
    pids = pids();
    Filler.assertIntact(cluster.mountPoint(3).resolve("filled by others"), "before");
    assertDaemonsUnharmed();
  }

  private void fillAndMakeRoom(String what) throws IOException {
    Path tree = Files.createDirectory(cluster.mountPoint(1).resolve(what));
    Path elsewhere = cluster.mountPoint(3).resolve(what);
    Filler filler = new Filler(tree);
    assertThat(filler.fill()).hasMessageContaining("No space left on device");
    System.out.printf(
        "%s: ENOSPC after %d files of 4 MiB, longest call %d ms%n",
        what, filler.files(), filler.longest().toMillis());
    assertThat(filler.files()).isGreaterThan(8);
    assertThat(filler.longest()).isLessThan(CALL_MAX);
    filler.assertIntact(elsewhere);
    assertDaemonsUnharmed();

    filler.delete(filler.files() / 2);
    long deleted = System.nanoTime();
    Awaitility.await(what + ": room again")
        .atMost(RECLAIMED)
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(
            () -> {
              filler.write(tree, "again");
              return true;
            });
    System.out.printf(
        "%s: writes went on %d ms after deleting%n",
        what, Duration.ofNanos(System.nanoTime() - deleted).toMillis());
    filler.write(tree, "and again");
    filler.assertIntact(elsewhere);
    filler.delete(filler.files());
    assertDaemonsUnharmed();
  }

  private static void assertDaemonsUnharmed() {
    assertThat(pids()).isEqualTo(pids);
    cluster.awaitInSync();
    List<String> digests =
        IntStream.rangeClosed(1, HOSTS)
            .mapToObj(cluster::fsck)
            .peek(result -> assertThat(result.problems()).isEmpty())
            .map(FsckResult::digest)
            .distinct()
            .toList();
    assertThat(digests).as("digests of the hosts' own stores").hasSize(1);
  }
}
