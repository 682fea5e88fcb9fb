package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.PowerDisks;

/**
 * One loss of power under writers at every host's mount, and at one that is no host's. See {@link
 * PowerLossTest}.
 */
final class PowerLossRound {
  private static final int HOSTS = 3;
  private static final Duration WRITING = Duration.ofMinutes(3);

  /** Acknowledgements of each writer before power is lost: from this on, some more by chance. */
  private static final int ACKNOWLEDGED_MIN = 30;

  private static final int ACKNOWLEDGED_SPREAD = 120;
  private static final int PAUSE_MS = 400;

  /** Power may go again so soon after the hosts serve, while they still catch up. */
  private static final int AGAIN_MS = 1500;

  /** Acknowledgements that a survivor's writer must add after the others are back. */
  private static final int GOES_ON = 20;

  private final ClusterProcesses cluster;
  private final PowerDisks disks;
  private final Path client;
  private final int number;
  private final Random random;

  PowerLossRound(
      ClusterProcesses cluster, PowerDisks disks, Path client, int number, Random random) {
    this.cluster = cluster;
    this.disks = disks;
    this.client = client;
    this.number = number;
    this.random = random;
  }

  void play(int victims) throws Exception {
    List<Integer> order = new ArrayList<>(IntStream.rangeClosed(1, HOSTS).boxed().toList());
    Collections.shuffle(order, random);
    play(List.copyOf(order.subList(0, victims)));
  }

  private void play(List<Integer> victims) throws Exception {
    List<Companion> writers = new ArrayList<>();
    int sqliteAt = 1 + random.nextInt(HOSTS);
    try (SqliteWriter sqlite = SqliteWriter.start(place(sqliteAt, "sqlite"))) {
      for (int host = 1; host <= HOSTS; host++) {
        writers.add(AcknowledgedWriter.startSyncingNames(place(host, "writer-" + host), number));
      }
      Path apart = client.resolve(name("writer-" + (HOSTS + 1)));
      writers.add(AcknowledgedWriter.startSyncingNames(apart, number));
      awaitAcknowledgements(
          writers, ACKNOWLEDGED_MIN + random.nextInt(ACKNOWLEDGED_SPREAD), sqlite);
      Thread.sleep(random.nextInt(PAUSE_MS));
      losePower(victims);
      boolean again = random.nextBoolean();
      if (again) {
        cluster.restartAll();
        Thread.sleep(random.nextInt(AGAIN_MS));
        losePower(victims);
      }
      long began = System.nanoTime();
      cluster.restartAll();
      List<String> said = end(victims, writers);
      int rows = sqlite.committed();
      assertThat(sqlite.stop() || victims.contains(sqliteAt)).as("sqlite saw no error").isTrue();
      cluster.awaitInSync();
      Figures.say(
          "round %d: hosts %s lost power%s; in sync %d ms after their start",
          number, victims, again ? " twice" : "", (System.nanoTime() - began) / 1_000_000);
      SqliteWriter.check(cluster.mountPoint(1).resolve(name("sqlite")), rows);
      check(said);
    } finally {
      writers.forEach(Companion::close);
    }
    Figures.say("fsck: %s", Checks.assertStoresEqual(cluster, client.getParent(), HOSTS));
  }

  private void awaitAcknowledgements(List<Companion> writers, int count, SqliteWriter sqlite) {
    Awaitility.await()
        .atMost(WRITING)
        .pollInterval(Duration.ofMillis(20))
        .until(
            () ->
                sqlite.committed() > 2
                    && writers.stream().allMatch(w -> w.output().lines().count() > count));
  }

  private void losePower(List<Integer> victims) throws IOException {
    for (int host : victims) {
      prepareControl(cluster.data(host));
    }
    cluster.losePower(disks, victims);
    for (int host : victims) {
      assertThat(cluster.data(host).resolve("control"))
          .as("what was not synced is forgotten below the daemon")
          .content()
          .isEqualTo("synced");
    }
  }

  /** A file that a disk with a memory would show otherwise. */
  private static void prepareControl(Path data) throws IOException {
    try (FileChannel control =
        FileChannel.open(
            data.resolve("control"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      control.write(ByteBuffer.wrap("synced".getBytes()), 0);
      control.force(true);
      control.write(ByteBuffer.wrap("edited".getBytes()), 0);
    }
  }

  /**
   * What each writer has said. Of those at hosts that did not lose power none may have seen an
   * error; the one apart may, of a whole cluster's outage and of what is gone after it.
   */
  private static List<String> end(List<Integer> victims, List<Companion> writers) {
    List<String> said = new ArrayList<>();
    for (int at = 1; at <= writers.size(); at++) {
      Companion writer = writers.get(at - 1);
      boolean mustGoOn = at > HOSTS ? victims.size() == 1 : !victims.contains(at);
      if (mustGoOn) {
        goesOn(writer);
      }
      String text = writer.stop();
      boolean failed = text.contains("xception");
      assertThat(failed && mustGoOn).as("writer %d saw an error: %s", at, text).isFalse();
      assertThat(failed || !victims.contains(at)).as("writer %d lost its mount", at).isTrue();
      said.add(text);
    }
    return said;
  }

  private void check(List<String> said) throws IOException {
    int count = 0;
    for (int writer = 1; writer <= said.size(); writer++) {
      for (int host = 1; host <= HOSTS; host++) {
        Path seen = cluster.mountPoint(host).resolve(name("writer-" + writer));
        count += AcknowledgedWriter.check(seen, said.get(writer - 1));
      }
    }
    Figures.say(
        "round %d: all of %d synced acknowledgements hold at each mount", number, count / HOSTS);
  }

  private static void goesOn(Companion writer) {
    long before = writer.output().lines().count();
    Awaitility.await("a survivor's writer goes on")
        .atMost(WRITING)
        .until(() -> writer.output().lines().count() > before + GOES_ON);
  }

  private Path place(int host, String what) {
    return cluster.mountPoint(host).resolve(name(what));
  }

  private String name(String what) {
    return "round-" + number + "-" + what;
  }
}
