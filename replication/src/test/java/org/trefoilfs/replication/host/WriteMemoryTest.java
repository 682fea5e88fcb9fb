package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.volume.Volume;

/**
 * Three real hosts that may hold 32 MiB each are asked to write several times as much at once, by
 * their own mounts and by others: none holds more, and none waits for another for ever.
 */
class WriteMemoryTest {
  private static final long BOUND = HostOptions.Settings.MIN_WRITE_MEMORY;
  private static final int BYTES = 1 << 20;
  private static final int CLIENTS = 3;
  private static final int WRITERS_EACH = 12;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir Path directory;
  private final List<Host> hosts = new ArrayList<>();
  private final List<Client> clients = new ArrayList<>();

  @BeforeEach
  void startThree() {
    hosts.add(start(1, Optional.empty()));
    Optional<Address> first = Optional.of(hosts.getFirst().identity().address());
    hosts.add(start(2, first));
    hosts.add(start(3, first));
    await().atMost(PATIENCE).until(() -> hosts.getFirst().voters().size() == 3);
    hosts
        .getFirst()
        .cluster()
        .createVolume(
            hosts.getFirst().view(), new ClusterCommand.CreateVolume("v", 3, CommitMode.SYNC))
        .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .join();
    for (Host host : hosts) {
      await().atMost(PATIENCE).until(() -> host.view().volumes().containsKey("v"));
    }
  }

  @AfterEach
  void stopAll() {
    clients.forEach(Client::close);
    hosts.forEach(Host::close);
  }

  private Host start(int number, Optional<Address> join) {
    HostOptions.Settings usual = HostOptions.Settings.DEFAULT;
    return Host.start(
        new HostOptions(
            directory.resolve("host" + number),
            Optional.of("host" + number),
            Optional.of(new Address("127.0.0.1", 0)),
            join,
            new HostOptions.Settings(
                false,
                Optional.empty(),
                usual.weight(),
                Optional.empty(),
                Optional.of(64).filter(_ -> join.isEmpty()),
                PATIENCE,
                Optional.of(BOUND),
                usual.catchUpRate())),
        List.of(),
        (_, _) -> CompletableFuture.completedFuture(new byte[0]));
  }

  @Test
  void hostsThatAreFullOfEachOthersWritesStayWithinTheirBoundsAndGoOn() throws Exception {
    List<Volume> volumes = new ArrayList<>();
    for (Host host : hosts) {
      volumes.add(host.openVolume(host.view().volumes().get("v")));
      for (int i = 0; i < CLIENTS; i++) {
        Client client = Client.connect(List.of(host.identity().address()), PATIENCE);
        clients.add(client);
        VolumeInfo volume = client.view().volumes().get("v");
        volumes.add(client.openVolume(volume, () -> 0));
      }
    }
    byte[] content = new byte[BYTES];
    new Random(5).nextBytes(content);
    List<CompletableFuture<Void>> writing = new ArrayList<>();
    for (int i = 0; i < volumes.size() * WRITERS_EACH; i++) {
      Volume volume = volumes.get(i % volumes.size());
      writing.add(volume.write(1000 + i, 0, ByteBuffer.wrap(content)));
    }
    CompletableFuture<Void> all =
        CompletableFuture.allOf(writing.toArray(CompletableFuture[]::new));
    long[] most = new long[hosts.size()];
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(
            () -> {
              for (int i = 0; i < most.length; i++) {
                most[i] = Math.max(most[i], hosts.get(i).writeMemoryHeld());
              }
              return all.isDone();
            });
    all.get();
    for (long held : most) {
      assertThat(held).isBetween((long) BYTES, BOUND);
    }
    for (Host host : hosts) {
      await().atMost(PATIENCE).until(() -> host.writeMemoryHeld() == 0);
    }
    for (int i = 0; i < writing.size(); i += 7) {
      assertThat(volumes.getFirst().read(1000 + i, 0, BYTES).get(60, TimeUnit.SECONDS))
          .isEqualTo(ByteBuffer.wrap(content));
    }
  }
}
