package org.trefoilfs.tools.acceptance;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.support.ClientMountProcess;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Machines;
import org.trefoilfs.tools.support.PowerDisks;

/**
 * One, two and all three hosts lose power at once, below real daemons: each has a disk of its own
 * that forgets what was not synced. What programs were told to be on stable storage is there
 * afterwards, at every mount. The seed decides who loses power and when.
 */
final class PowerLossTest {
  private static final int HOSTS = 3;
  private static final int DISK_MEGABYTES = 512;

  /** Two of three hosts that are away hold up the third one's mount until they are back. */
  private static final String PATIENCE = "3m";

  private final long seed = Long.getLong("seed", System.nanoTime());

  @TempDir Path directory;
  private PowerDisks disks;

  @BeforeEach
  void disks() throws IOException {
    disks = new PowerDisks(directory);
    for (int host = 1; host <= HOSTS; host++) {
      disks.mount(directory.resolve("host" + host), DISK_MEGABYTES);
    }
  }

  @AfterEach
  void removeDisks() {
    disks.close();
  }

  @ParameterizedTest
  @EnumSource
  void whatWasSyncedSurvivesWhicheverHostsLosePower(CommitMode mode) throws Exception {
    Figures.say("power loss, %s: replay with -Dseed=%d", mode, seed);
    Random random = new Random(seed);
    try (ClusterProcesses cluster = started(mode);
        ClientMountProcess client =
            ClientMountProcess.start(cluster, "work", directory.resolve("client"))) {
      letMountOutliveAllReplicas(cluster, client.point());
      int first = random.nextInt(HOSTS) + mode.ordinal();
      for (int round = 1; round <= Sizes.chosen().powerRounds(); round++) {
        int victims = 1 + (first + round) % HOSTS;
        new PowerLossRound(cluster, disks, client.point(), round, random).play(victims);
      }
    }
  }

  /** Nothing else is written meanwhile, whose syncing would keep all this as well. */
  private void letMountOutliveAllReplicas(ClusterProcesses cluster, Path mount) throws IOException {
    try (UnsyncedFiles files = new UnsyncedFiles(mount.resolve("unsynced"))) {
      files.write();
      cluster.losePower(disks, List.of(1, 2, 3));
      cluster.restartAll();
      cluster.awaitInSync();
      int gone = files.syncAndCheck(cluster.mountPoint(1).resolve("unsynced"));
      Figures.say("fsync after all replicas lost power: %d files were gone, and it said so", gone);
    }
  }

  private ClusterProcesses started(CommitMode mode) {
    Machines machines =
        Machines.here(HOSTS).with(HostConfig.empty().with(Key.WRITE_TIMEOUT, PATIENCE));
    return ClusterProcesses.start(directory, HOSTS, machines).mountedEverywhere("work", mode);
  }
}
