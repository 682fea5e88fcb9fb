package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.host.Client;
import org.trefoilfs.replication.volume.Volume;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Commands;

/**
 * Three hosts with heaps of 256 MiB are asked to take 256 MiB at once, by many connections, while
 * one of them stands still: they hold the writers back instead of running out of memory.
 */
final class OverloadTest {
  private static final int HOSTS = 3;
  private static final int CLIENTS = 16;
  private static final int WRITERS_EACH = 16;
  private static final int BYTES = 1 << 20;

  /** Objects that no namespace has named. */
  private static final long FIRST_OBJECT = 1L << 40;

  /** Less than what makes it lost. */
  private static final Duration STANDSTILL = Duration.ofMillis(1500);

  /** For all to be written, on a busy machine with a slow disk. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @TempDir Path directory;
  private final List<Client> clients = new ArrayList<>();

  @Test
  void hostsThatAreAskedForMoreThanTheyCanHoldLoseNeitherWritesNorTheirLives() throws Exception {
    try (ClusterProcesses cluster = ClusterProcesses.start(directory, HOSTS)) {
      cluster.createVolume("work", HOSTS);
      cluster.awaitInSync();
      List<Long> before = IntStream.rangeClosed(1, HOSTS).mapToObj(cluster::pid).toList();
      byte[] content = new byte[BYTES];
      new Random(11).nextBytes(content);
      List<CompletableFuture<Void>> writing = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Volume volume = open(cluster);
        for (int j = 0; j < WRITERS_EACH; j++) {
          long object = FIRST_OBJECT + i * WRITERS_EACH + j;
          writing.add(volume.write(object, 0, ByteBuffer.wrap(content)));
        }
        if (i == 0) {
          Commands.run("kill", "-STOP", Long.toString(before.getLast()));
        }
      }
      Awaitility.await().pollDelay(STANDSTILL).until(() -> true);
      Commands.run("kill", "-CONT", Long.toString(before.getLast()));
      CompletableFuture<Void> all =
          CompletableFuture.allOf(writing.toArray(CompletableFuture[]::new));
      Awaitility.await().atMost(PATIENCE).until(() -> all.isDone() || running(cluster) < HOSTS);
      assertThat(running(cluster)).as("hosts that run").isEqualTo(HOSTS);
      all.get();
      assertThat(IntStream.rangeClosed(1, HOSTS).mapToObj(cluster::pid)).isEqualTo(before);
      Volume volume = open(cluster);
      for (int i = 0; i < CLIENTS * WRITERS_EACH; i++) {
        assertThat(volume.read(FIRST_OBJECT + i, 0, BYTES).get(60, TimeUnit.SECONDS))
            .isEqualTo(ByteBuffer.wrap(content));
      }
    } finally {
      clients.forEach(Client::close);
    }
  }

  private static long running(ClusterProcesses cluster) {
    return IntStream.rangeClosed(1, HOSTS).filter(cluster::isRunning).count();
  }

  private Volume open(ClusterProcesses cluster) {
    Client client = Client.connect(List.of(cluster.address(1)), PATIENCE);
    clients.add(client);
    return client.openVolume(client.view().volumes().get("work"), () -> 0);
  }
}
