package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountNote;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.CommandRun;

/**
 * The daemon that serves a mount is killed and started again, time after time, under programs that
 * work on the mount: they wait, and no call of theirs fails. {@code TREFOIL_SURVIVAL_ROUNDS} says
 * how often.
 */
final class MountSurvivalTest {
  private static final int HOSTS = 3;
  private static final int ROUNDS =
      Integer.parseInt(System.getenv().getOrDefault("TREFOIL_SURVIVAL_ROUNDS", "3"));

  /** After every so many kills, it is stopped with its mounts kept, and started. */
  private static final int UPGRADES = 3;

  private static final String FIO =
      """
      fio --name=verify --rw=randwrite --bs=16k --size=2m --ioengine=psync --fallocate=none \
        --verify=crc32c --do_verify=1 --verify_fatal=1 --fsync=16 --output-format=terse > /dev/null
      """;

  private static final String GIT =
      """
      test -d .git || git init -q .
      echo $n > file-$((n % 7)); git add .
      git -c user.name=t -c user.email=t@t -c gc.auto=0 commit -q --allow-empty -m $n
      """;

  /** In a bind mount: what it appends is there once, and where it is does not change. */
  private static final String INSIDE =
      """
      echo $n >> log
      test "$(wc -l < log)" = $n
      mkdir d-$n; mv d-$n e-$n; rmdir e-$n
      test "$(ls | wc -l)" = 1
      """;

  @TempDir Path directory;

  @Test
  void programsOnAMountGoOnWhenItsDaemonIsKilledAndStartedAgain() throws Exception {
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, HOSTS)) {
      cluster.createVolume("work", HOSTS);
      Path mount = cluster.mount(1, "work", FuseTransportKind.KERNEL);
      String device = MountTable.at(mount).orElseThrow().device();
      for (String name : List.of("fio", "git", "inside")) {
        Files.createDirectory(mount.resolve(name));
      }
      Path bound = Files.createDirectory(directory.resolve("bound"));
      Run.in(directory, "mount", "--bind", mount.resolve("inside").toString(), bound.toString())
          .succeeded();
      try (SqliteWriter sqlite = SqliteWriter.start(mount.resolve("sqlite"));
          Workload fio = Workload.start("fio", mount.resolve("fio"), FIO);
          Workload git = Workload.start("git", mount.resolve("git"), GIT);
          Workload inside = Workload.start("inside", bound, INSIDE);
          Probe probe = new Probe(mount.resolve("probe"))) {
        for (int round = 1; round <= ROUNDS; round++) {
          restart(cluster, probe, round);
          if (round % UPGRADES == 0) {
            upgrade(cluster, probe);
          }
        }
        assertThat(MountTable.at(mount).orElseThrow().device()).as("the same").isEqualTo(device);
        fio.stop();
        git.stop();
        inside.stop();
        assertThat(sqlite.stop()).as("sqlite went on without an error").isTrue();
        probe.check();
        SqliteWriter.check(mount.resolve("sqlite"), sqlite.committed());
        Run.in(mount.resolve("git"), "git", "fsck", "--full").succeeded();
      } finally {
        Run.in(directory, "umount", "-l", bound.toString());
      }
    }
  }

  @Test
  void unmountWorksWithoutADaemonAndEndsTheCallsThatWait() throws Exception {
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, 1)) {
      cluster.createVolume("work", 1);
      Path mount = cluster.mount(1, "work", FuseTransportKind.KERNEL);
      ProcessId keeper =
          MountNote.left(cluster.data(1), mount)
              .flatMap(MountNote::connection)
              .orElseThrow()
              .keeper();
      cluster.kill(1);
      Process call = new ProcessBuilder("stat", mount.resolve("x").toString()).start();
      Awaitility.await()
          .until(() -> Files.readString(waitsIn(call.pid())).equals("request_wait_answer"));
      CommandRun unmount =
          CommandRun.Setting.real(directory)
              .with("TREFOIL_RUN", System.getenv().getOrDefault("TREFOIL_RUN", "/run/trefoil"))
              .run("unmount", mount.toString());
      assertThat(unmount.err()).isEmpty();
      assertThat(unmount.status()).isZero();
      assertThat(call.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(MountTable.at(mount)).isEmpty();
      assertThat(keeper.lives()).isFalse();
      assertThat(MountNote.left(cluster.data(1), mount)).isEmpty();
    }
  }

  private static Path waitsIn(long pid) {
    return Path.of("/proc", Long.toString(pid), "wchan");
  }

  private static void restart(ClusterProcesses cluster, Probe probe, int round) {
    probe.longestMillis();
    cluster.kill(1);
    Figures.say("round %d: %s", round, start(cluster, probe));
  }

  private static void upgrade(ClusterProcesses cluster, Probe probe) {
    probe.longestMillis();
    cluster.stopKeepingMounts(1);
    Figures.say("stopped with its mounts kept: %s", start(cluster, probe));
  }

  private static String start(ClusterProcesses cluster, Probe probe) {
    long began = System.nanoTime();
    cluster.restart(1);
    long started = (System.nanoTime() - began) / 1_000_000;
    probe.awaitCall();
    return "the daemon served after %d ms, the longest call took %d ms"
        .formatted(started, probe.longestMillis());
  }

  /** Makes a small file again and again, and knows the longest call. */
  private static final class Probe implements AutoCloseable {
    private final Path file;
    private final AtomicLong longest = new AtomicLong();
    private final AtomicLong calls = new AtomicLong();
    private final AtomicBoolean ends = new AtomicBoolean();
    private volatile String failure = "";
    private final Thread thread = Thread.ofPlatform().daemon().name("probe").unstarted(this::run);

    Probe(Path file) {
      this.file = file;
      thread.start();
    }

    private void run() {
      while (!ends.get() && failure.isEmpty()) {
        long began = System.nanoTime();
        try {
          Files.createFile(file);
          Files.delete(file);
        } catch (IOException e) {
          failure = e.toString();
        }
        longest.accumulateAndGet((System.nanoTime() - began) / 1_000_000, Math::max);
        calls.incrementAndGet();
      }
    }

    /** Since it was asked last. */
    long longestMillis() {
      return longest.getAndSet(0);
    }

    /** Until one that began after this call has ended. */
    void awaitCall() {
      long seen = calls.get();
      Awaitility.await()
          .atMost(Duration.ofMinutes(1))
          .until(() -> calls.get() > seen + 1 || !failure.isEmpty());
    }

    void check() {
      assertThat(failure).isEmpty();
    }

    @Override
    public void close() {
      ends.set(true);
      try {
        thread.join(10_000);
      } catch (InterruptedException e) {
        throw new UncheckedIOException(new IOException(e));
      }
    }
  }
}
