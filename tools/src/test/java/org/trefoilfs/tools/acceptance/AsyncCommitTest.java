package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.admin.Messages.Lost;
import org.trefoilfs.tools.admin.Messages.LostExport;
import org.trefoilfs.tools.admin.Messages.LostExported;
import org.trefoilfs.tools.admin.Messages.LostLine;
import org.trefoilfs.tools.admin.Messages.LostRange;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.status.StatusReport;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Commands;

/**
 * An async volume on three real hosts: the two that do not write stand still (SIGSTOP), so that
 * what the third acknowledges stays in its spool; then it is killed.
 */
final class AsyncCommitTest {
  private static final int HOSTS = 3;
  private static final int BLOCK = 4096;
  private static final long BOUND = 1 << 20;

  /** Well within a session's 10 s: the mount must not be taken for dead. */
  private static final Duration FROZEN = Duration.ofMillis(1500);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final long seed = new Random().nextLong();

  @TempDir Path directory;
  private ClusterProcesses cluster;
  private Path here;
  private Path there;

  @BeforeEach
  void start() {
    System.out.println("seed " + seed);
    cluster = ClusterProcesses.start(directory, HOSTS);
    cluster.createVolume("work", HOSTS, CommitMode.ASYNC);
    cluster.ask(
        1,
        Verb.VOLUME_SET,
        new VolumeArgument("work", null, null, null, 3_600_000L, BOUND),
        VolumeLine.class);
    here = cluster.mount(1, "work");
    there = cluster.mount(2, "work");
  }

  @AfterEach
  void stop() {
    freeze("-CONT");
    cluster.close();
  }

  @Test
  void aKilledDaemonShipsWhatItHadAcknowledged() throws Exception {
    long acknowledged = writeWhileFrozen();
    long began = System.nanoTime();
    cluster.restart(1);
    long started = System.nanoTime() - began;
    byte[] read = Files.readAllBytes(there.resolve("f"));
    assumeThat(cluster.data(1).resolve("lost"))
        .as("the host started within its session's 10 s, in %d ms", started / 1_000_000)
        .doesNotExist();
    assertThat(read).isEqualTo(content(acknowledged));
    Figures.say(
        "%d bytes were acknowledged when the daemon was killed; all of them are read elsewhere %d ms"
            + " after its restart began, %d ms of it to start",
        acknowledged, millisSince(began), started / 1_000_000);
    Awaitility.await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .untilAsserted(
            () ->
                assertThat(Files.readAllBytes(here.resolve("f"))).isEqualTo(content(acknowledged)));
    assertThat(cluster.ask(1, Verb.LOST_LIST, new Nothing(), Lost.class).losses()).isEmpty();
    assertThat(cluster.data(1).resolve("lost")).doesNotExist();
  }

  @Test
  void whatAnEvictedHostHadNotShippedIsNamedAndKeptAndNeverApplied() throws Exception {
    long acknowledged = writeWhileFrozen();

    // Another writer waits until the killed mount is evicted and fenced, and no longer.
    long began = System.nanoTime();
    Awaitility.await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> overwrite(there.resolve("f"), "since"));
    Figures.say("a file of a killed mount is written elsewhere after %d ms", millisSince(began));

    cluster.restart(1);
    LostLine kept =
        Awaitility.await().atMost(PATIENCE).until(() -> lost(2), line -> !line.host().isEmpty());
    assertThat(kept.host()).isEqualTo("host1");
    assertThat(kept.bytes()).isLessThanOrEqualTo(BOUND);
    Path to = directory.resolve("exported");
    LostExported exported =
        cluster.ask(
            1, Verb.LOST_EXPORT, new LostExport(kept.id(), to.toString()), LostExported.class);
    assertThat(exported.files()).isEqualTo(1);
    assertThat(exported.bytes()).isEqualTo(kept.bytes());
    assertExported(kept, to, content(acknowledged));

    byte[] volume = Files.readAllBytes(there.resolve("f"));
    assertThat(new String(volume, 0, 5)).isEqualTo("since");
    assertThat(volume.length + kept.bytes())
        .as("what is in the volume and what was lost is all that was acknowledged")
        .isEqualTo(acknowledged);
    Figures.say(
        "%d of %d acknowledged bytes were lost, named and exported; the bound is %d",
        kept.bytes(), acknowledged, BOUND);
  }

  private static boolean overwrite(Path path, String text) throws IOException {
    try (FileChannel file = create(path)) {
      return file.write(ByteBuffer.wrap(text.getBytes())) == text.length();
    }
  }

  private static void assertExported(LostLine kept, Path to, byte[] content) throws IOException {
    for (LostRange range : kept.ranges()) {
      byte[] saved = Files.readAllBytes(to.resolve("inode-" + range.inode()));
      int from = (int) range.offset();
      int end = (int) range.end();
      assertThat(Arrays.copyOfRange(saved, from, end))
          .isEqualTo(Arrays.copyOfRange(content, from, end));
    }
  }

  @Test
  void writersAreHeldAtTheBoundAndGoOn() throws Exception {
    byte[] content = content(3 * BOUND);
    AtomicLong acknowledged = new AtomicLong();
    FileChannel file = create(here.resolve("g"));
    writeOn(file, content, acknowledged, BLOCK);
    freeze("-STOP");
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(() -> writeOn(file, content, acknowledged, content.length));
    Awaitility.await().atMost(PATIENCE).until(() -> acknowledged.get() >= BOUND);
    Awaitility.await().during(FROZEN).until(() -> acknowledged.get() <= BOUND + 2 * BLOCK);
    assertThat(windowSeenBy(1).bytes()).isBetween(BOUND / 2, BOUND);
    freeze("-CONT");
    writer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    file.close();
    assertThat(Files.readAllBytes(there.resolve("g"))).isEqualTo(content);
    Awaitility.await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              StatusReport.Rpo after = windowSeenBy(2);
              assertThat(after.bytes()).isZero();
              assertThat(after.slowedSeconds()).isGreaterThan(FROZEN.toMillis() / 1e3);
              assertThat(after.worstBytes()).isLessThanOrEqualTo(BOUND);
            });
  }

  /** What the mount of host 1 would lose. */
  private StatusReport.Rpo windowSeenBy(int host) {
    return Awaitility.await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () ->
                cluster.status(host).activity().rpo().stream()
                    .filter(one -> one.mount().equals("host1:" + here) && one.worstBytes() > BLOCK)
                    .findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }

  private LostLine lost(int host) {
    return Awaitility.await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () -> cluster.ask(host, Verb.LOST_LIST, new Nothing(), Lost.class).losses(),
            losses -> losses.size() == 1)
        .getFirst();
  }

  /** Writes to a file of mount 1 while the other hosts stand still; how many bytes it has then. */
  private long writeWhileFrozen() throws IOException {
    byte[] content = content(BOUND / 2);
    AtomicLong acknowledged = new AtomicLong();
    try (FileChannel file = create(here.resolve("f"))) {
      writeOn(file, content, acknowledged, BLOCK);
      file.force(false);
      freeze("-STOP");
      long end = System.nanoTime() + FROZEN.toNanos();
      while (System.nanoTime() < end && acknowledged.get() < content.length) {
        writeOn(file, content, acknowledged, acknowledged.get() + BLOCK);
      }
      cluster.kill(1);
    } catch (IOException closingADeadMount) {
      assertThat(acknowledged.get()).as("%s", closingADeadMount).isGreaterThan(BLOCK);
    }
    freeze("-CONT");
    return acknowledged.get();
  }

  private static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  /**
   * A file that stays open: opening one asks the state log, which stands still with its majority.
   */
  private static void writeOn(
      FileChannel file, byte[] content, AtomicLong acknowledged, long until) {
    try {
      while (acknowledged.get() < until) {
        int at = (int) acknowledged.get();
        ByteBuffer block = ByteBuffer.wrap(content, at, BLOCK);
        file.write(block, at);
        assertThat(block.hasRemaining()).isFalse();
        acknowledged.addAndGet(BLOCK);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] content(long length) {
    byte[] bytes = new byte[(int) length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static long millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1_000_000;
  }

  /** The hosts through which nothing is written. */
  private void freeze(String signal) {
    for (int host = 2; host <= HOSTS; host++) {
      if (cluster.isRunning(host)) {
        Commands.run("kill", signal, Long.toString(cluster.pid(host)));
      }
    }
  }
}
