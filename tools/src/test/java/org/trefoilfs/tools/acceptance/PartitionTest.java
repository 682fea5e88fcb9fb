package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Commands;
import org.trefoilfs.tools.support.NetworkNamespaces;
import org.trefoilfs.tools.support.StaleReads;
import org.trefoilfs.tools.support.StallLimit;
import org.trefoilfs.tools.support.SteadyWriter;
import org.trefoilfs.tools.support.Trees;

/** Three hosts on three networks: one is cut off, lives on alone, and comes back. */
class PartitionTest {
  private static final int HOSTS = 3;
  private static final Duration TIMEOUT = Duration.ofSeconds(4);

  /**
   * A request that ran into its time is told so after it; scheduling on a busy machine comes on
   * top. A call can be three requests: a name is looked at again, then looked up, then made.
   */
  private static final Duration LATE = TIMEOUT.multipliedBy(3).plusSeconds(2);

  /** DESIGN 2: no call stalls longer for the loss of a host. */
  private static final Duration STALL_MAX = StallLimit.chosen();

  @TempDir static Path directory;
  private static NetworkNamespaces network;
  private static ClusterProcesses cluster;

  @BeforeAll
  static void start() {
    network =
        NetworkNamespaces.create(
            HOSTS, HostConfig.empty().with(Key.WRITE_TIMEOUT, TIMEOUT.toSeconds() + "s"));
    cluster = ClusterProcesses.start(directory, HOSTS, network);
    cluster.createVolume("work", 3);
    for (int host = 1; host <= HOSTS; host++) {
      cluster.mount(host, "work", "timeout=" + TIMEOUT.toSeconds() + "s");
    }
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
    if (network != null) {
      network.close();
    }
  }

  @Test
  void majorityGoesOnWhenAFollowerIsCutOffAndAllAgreeAfterHealing() throws Exception {
    int leader = leader();
    int lone = leader % HOSTS + 1;
    Path file = Files.createFile(cluster.mountPoint(leader).resolve("locked"));
    try (FileChannel cutOff = forWriting(cluster.mountPoint(lone).resolve("locked"));
        FileLock lost = cutOff.lock();
        FileChannel waits = forWriting(file)) {
      FutureTask<FileLock> next = new FutureTask<>(waits::lock);
      Thread.ofPlatform().daemon().start(next);
      // Longer than a session lives, so that the mount comes back under a new one.
      cutOffAndHeal(lone, "follower", Duration.ofSeconds(13));
      assertThat(lost.isValid()).as("nobody told it").isTrue();
      assertThat(next.get(10, TimeUnit.SECONDS).isValid()).isTrue();
      assertEio(() -> cutOff.write(ByteBuffer.wrap(new byte[1]), 0));
      next.get().close();
    }
  }

  private static FileChannel forWriting(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.WRITE);
  }

  @Test
  void majorityGoesOnWhenTheLeaderIsCutOffAndAllAgreeAfterHealing() throws Exception {
    cutOffAndHeal(leader(), "leader", Duration.ofSeconds(7));
  }

  private void cutOffAndHeal(int lone, String name, Duration howLong) throws Exception {
    cluster.awaitInSync();
    int first = lone % HOSTS + 1;
    int second = first % HOSTS + 1;
    Path tree = Files.createDirectory(cluster.mountPoint(first).resolve(name));
    Path seenAlone = cluster.mountPoint(lone).resolve(name);
    Files.writeString(tree.resolve("old"), "before");
    try (SteadyWriter writer = SteadyWriter.start(tree);
        StaleReads reads = StaleReads.start(cluster.mountPoint(second).resolve(name), seenAlone)) {
      writer.awaitFiles(20);
      reads.awaitReads(5);
      network.cutOff(lone);
      long until = System.nanoTime() + howLong.toNanos();
      assertRefusesWrites(seenAlone);
      reads.awaitGenerations(10);
      assertThatThrownBy(() -> Files.readString(seenAlone.resolve("old")))
          .hasMessageContaining("Input/output error");
      Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> System.nanoTime() > until);
      network.plugIn(lone);
      cluster.awaitInSync();
      writer.awaitFiles(20);
      System.out.printf("%s cut off for %s: %s; %s%n", name, howLong, writer.end(), reads.end());
      assertThat(writer.longest()).isLessThan(STALL_MAX);
      assertThat(reads.refused()).as("reads refused while cut off").isPositive();
    }
    assertWritesAgain(seenAlone);
    assertAllAgree(name);
  }

  private static int leader() {
    return Awaitility.await()
        .ignoreExceptions()
        .until(
            () ->
                cluster.status(1).hosts().stream()
                    .filter(host -> host.role().equals("leader"))
                    .map(host -> Integer.parseInt(host.name().substring("host".length())))
                    .findFirst()
                    .orElseThrow(),
            leader -> true);
  }

  private static void assertRefusesWrites(Path alone) {
    List<Duration> took =
        List.of(
            Trees.timed(() -> assertEio(() -> Files.writeString(alone.resolve("new"), "lost"))),
            Trees.timed(() -> assertEio(() -> Files.writeString(alone.resolve("old"), "lost"))));
    System.out.println("a lone host refuses writes after " + took);
    assertThat(took).allMatch(each -> each.compareTo(LATE) < 0, "shorter than " + LATE);
  }

  private interface Action {
    void run() throws IOException;
  }

  private static void assertEio(Action action) {
    assertThatThrownBy(action::run)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Input/output error");
  }

  private static void assertWritesAgain(Path alone) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(() -> Files.writeString(alone.resolve("again"), "back"), Files::exists);
  }

  private static void assertAllAgree(String name) throws IOException {
    Path first = cluster.mountPoint(1);
    assertThat(first.resolve(name).resolve("new")).doesNotExist();
    assertThat(first.resolve(name).resolve("old")).hasContent("before");
    for (int host = 2; host <= HOSTS; host++) {
      assertThat(Trees.differences(first, cluster.mountPoint(host))).isEmpty();
    }
    List<String> digests =
        IntStream.rangeClosed(1, HOSTS)
            .mapToObj(cluster::fsck)
            .peek(result -> assertThat(result.problems()).isEmpty())
            .map(result -> result.digest())
            .distinct()
            .toList();
    assertThat(digests).as("digests of the hosts' own stores").hasSize(1);
    assertThat(Commands.run("ls", first.toString())).contains(name);
  }
}
