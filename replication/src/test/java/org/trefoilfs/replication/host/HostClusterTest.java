package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.volume.DataRange;
import org.trefoilfs.replication.volume.Volume;

/** Three real hosts in one process: disks, sockets and state log included. */
class HostClusterTest {
  private static final int BLOCK = 128 << 10;

  /** Of what is written in the file, so that it crosses chunks and blocks. */
  private static final long OFFSET = 3_000_000L;

  private static final int SMALL = 4096;

  /** Of the file that is caught up with slowly. */
  private static final int CHUNKS = 64;

  private static final Executor VIRTUAL = Thread::startVirtualThread;

  @TempDir Path directory;
  private final List<Host> hosts = new ArrayList<>();

  @BeforeEach
  void startThree() {
    hosts.add(start(1, Optional.empty()));
    Optional<Address> first = Optional.of(hosts.getFirst().identity().address());
    hosts.add(start(2, first));
    hosts.add(start(3, first));
    await().atMost(30, TimeUnit.SECONDS).until(() -> hosts.getFirst().voters().size() == 3);
    hosts
        .getFirst()
        .cluster()
        .createVolume(
            hosts.getFirst().view(), new ClusterCommand.CreateVolume("v", 3, CommitMode.SYNC))
        .orTimeout(20, TimeUnit.SECONDS)
        .join();
    for (Host host : hosts) {
      await().atMost(20, TimeUnit.SECONDS).until(() -> host.view().volumes().containsKey("v"));
    }
  }

  @AfterEach
  void stopAll() {
    hosts.forEach(Host::close);
  }

  @Test
  void whatOneHostWroteTheOthersReadAlsoAfterALossAndARestartOfAll() {
    Random random = new Random(7);
    byte[] content = new byte[40 * BLOCK];
    random.nextBytes(content);
    write(hosts.get(0), content);
    for (Host host : hosts) {
      assertThat(read(host, content.length)).isEqualTo(content);
      assertThat(allocated(volume(host))).containsExactly(blocksOf(OFFSET, content.length));
    }
    Address any = hosts.getFirst().identity().address();
    try (Client afar = Client.connect(List.of(any), Duration.ofSeconds(20))) {
      assertThat(allocated(afar.openVolume(afar.view().volumes().get("v"), () -> 0)))
          .containsExactly(blocksOf(OFFSET, content.length));
    }

    hosts.get(2).close();
    byte[] second = content.clone();
    random.nextBytes(second);
    write(hosts.get(1), second);
    assertThat(read(hosts.get(0), content.length)).isEqualTo(second);
    volume(hosts.get(1)).punch(42, ChunkId.SIZE, 5000).orTimeout(20, TimeUnit.SECONDS).join();
    assertThat(allocated(volume(hosts.get(0))))
        .containsExactly(
            blocksOf(OFFSET, ChunkId.SIZE - OFFSET),
            blocksOf(ChunkId.SIZE + 5000, OFFSET + content.length - ChunkId.SIZE - 5000));
    write(hosts.get(1), second);

    hosts.set(2, restart(2));
    awaitAllInSync();
    assertThat(read(hosts.get(2), content.length)).isEqualTo(second);
    assertThat(hosts.get(2).fsck().digestOfGroup()).isEqualTo(hosts.get(0).fsck().digestOfGroup());

    hosts.forEach(Host::close);
    List<CompletableFuture<Host>> starting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int number = i;
      starting.add(CompletableFuture.supplyAsync(() -> restart(number)));
    }
    for (int i = 0; i < 3; i++) {
      hosts.set(i, starting.get(i).join());
    }
    awaitAllInSync();
    assertThat(read(hosts.get(1), content.length)).isEqualTo(second);
  }

  @Test
  void aLeaderThatStopsInGoodOrderHoldsNobodyUpUntilItIsMissed() throws Exception {
    Host leader = hosts.stream().filter(Host::isLeader).findFirst().orElseThrow();
    Host other = hosts.stream().filter(host -> host != leader).findFirst().orElseThrow();
    Volume volume = other.openVolume(other.view().volumes().get("v"));
    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<List<Long>> writing =
        CompletableFuture.supplyAsync(() -> writeUntil(over, volume, 43));
    try {
      leader.close();
    } finally {
      over.set(true);
    }
    long worst = writing.get(40, TimeUnit.SECONDS).stream().max(Long::compare).orElseThrow();
    System.out.println("the leader stopped; slowest write meanwhile: " + worst / 1000 + " us");
    assertThat(worst).isLessThan(other.identity().detection().toNanos());
  }

  @Test
  void aDiskThatFailsFailsNoCallWhileOthersHoldTheData() throws Exception {
    Host failing = hosts.get(0);
    Host other = hosts.get(1);
    Volume volume = other.openVolume(other.view().volumes().get("v"));
    AtomicBoolean over = new AtomicBoolean();
    List<CompletableFuture<List<Long>>> writing = new ArrayList<>();
    for (int i = 0; i < 8; i++) { // in groups of which each host is primary
      long inode = 50 + i;
      writing.add(CompletableFuture.supplyAsync(() -> writeUntil(over, volume, inode), VIRTUAL));
    }
    try {
      failJournal(failing);
      await()
          .atMost(20, TimeUnit.SECONDS)
          .until(() -> !other.view().isAlive(failing.identity().host()));
    } finally {
      over.set(true);
    }
    for (CompletableFuture<List<Long>> each : writing) {
      assertThat(each.get(40, TimeUnit.SECONDS)).isNotEmpty();
    }
  }

  /** An interrupted thread closes the file that it writes to: the journal takes that as it must. */
  private static void failJournal(Host host) throws Exception {
    Volume volume = host.openVolume(host.view().volumes().get("v"));
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  Thread.currentThread().interrupt();
                  for (long inode = 1000; !host.failed().isDone(); inode++) {
                    var unused = volume.write(inode, 0, ByteBuffer.allocate(SMALL));
                  }
                });
    writer.join();
    assertThat(host.failed().get().reason()).isEqualTo(Reason.IO);
  }

  @Test
  void aFlippedByteInAChunkFileIsHealedByTheReadThatFindsIt() throws Exception {
    byte[] content = new byte[BLOCK];
    new Random(8).nextBytes(content);
    write(hosts.get(0), content);
    hosts.get(0).fsck(); // everything committed is in the chunk files now
    Path chunk;
    try (var files = Files.walk(directory.resolve("host1/chunks"))) {
      chunk =
          files
              .filter(Files::isRegularFile)
              .filter(file -> file.toString().contains("-0"))
              .findFirst()
              .orElseThrow();
    }
    hosts.get(0).close();
    byte[] damaged = Files.readAllBytes(chunk);
    damaged[5000] ^= 1;
    Files.write(chunk, damaged);
    hosts.set(0, restart(0));
    awaitAllInSync();
    assertThat(read(hosts.get(0), content.length)).isEqualTo(content);
    assertThat(hosts.get(0).fsck().damaged()).isZero();
  }

  @Test
  void aHostThatWasAwayCopiesTheBlocksThatWereWrittenMeanwhile() {
    Random random = new Random(9);
    byte[] content = new byte[240 * BLOCK];
    random.nextBytes(content);
    write(hosts.get(0), content);

    hosts.get(2).close();
    Volume volume = hosts.get(0).openVolume(hosts.get(0).view().volumes().get("v"));
    int changed = 0;
    for (int at = 0; at < content.length; at += 7 * BLOCK) {
      byte[] some = new byte[SMALL];
      random.nextBytes(some);
      System.arraycopy(some, 0, content, at, SMALL);
      volume.write(42, at + OFFSET, ByteBuffer.wrap(some)).orTimeout(20, TimeUnit.SECONDS).join();
      changed += 2 * ChunkId.BLOCK; // the offset lies within a block
    }

    hosts.set(2, restart(2));
    awaitAllInSync();
    Message.CatchUp.Bytes bytes = hosts.get(2).catchUp().bytes();
    long copied = bytes.copied();
    System.out.println("catch-up copied " + copied + " bytes, where " + changed + " had changed");
    assertThat(copied).isBetween((long) changed / 2, 2L * changed);
    assertThat(bytes.changed()).isBetween((long) changed, 2L * changed);
    assertThat(read(hosts.get(2), content.length)).isEqualTo(content);
    assertThat(hosts.get(2).fsck().digestOfGroup()).isEqualTo(hosts.get(0).fsck().digestOfGroup());
  }

  @Test
  void aCatchUpKeepsItsRateSaysHowLongItTakesAndLetsOthersWrite() throws Exception {
    long rate = HostOptions.Settings.MIN_CATCH_UP_RATE;
    Volume volume = hosts.get(0).openVolume(hosts.get(0).view().volumes().get("v"));
    Random random = new Random(10);
    writeIntoEachChunk(volume, random);
    hosts.get(2).close();
    writeIntoEachChunk(volume, random);
    hosts.set(2, start(3, Optional.empty(), withCatchUpRate(rate)));

    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<List<Long>> writing =
        CompletableFuture.supplyAsync(() -> writeUntil(over, volume, 43));
    CatchUpWatch watch;
    try {
      watch = CatchUpWatch.of(hosts.get(2));
    } finally {
      over.set(true);
    }
    List<Long> latencies = writing.get(40, TimeUnit.SECONDS).stream().sorted().toList();

    Message.CatchUp done = watch.last();
    System.out.printf(
        "caught up: copied %d of %d bytes changed in %d ms at %d bytes/s; %d writes meanwhile, median %d us, slowest %d us%n",
        done.bytes().copied(),
        done.bytes().changed(),
        done.millis(),
        rate,
        latencies.size(),
        latencies.get(latencies.size() / 2) / 1000,
        latencies.getLast() / 1000);
    long changed = (long) CHUNKS * BLOCK;
    assertThat(done.bytes().changed()).isBetween(changed, changed + changed / 4);
    assertThat(done.bytes().copied()).isBetween(changed, changed + changed / 4);
    assertThat(done.bytes().left()).isZero();
    assertThat(latencies).hasSizeGreaterThan(20);
    watch.assertItGrew(CHUNKS / 4);
    watch.assertRateHeld(rate, rate / 4 + (long) HostLimits.CONCURRENT_FETCHES * BLOCK);
    watch.assertEtaWasTrue();
    awaitAllInSync();
    assertThat(hosts.get(2).fsck().digestOfGroup()).isEqualTo(hosts.get(0).fsck().digestOfGroup());
  }

  private static void writeIntoEachChunk(Volume volume, Random random) {
    byte[] some = new byte[BLOCK];
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      random.nextBytes(some);
      volume
          .write(42, (long) chunk * ChunkId.SIZE, ByteBuffer.wrap(some.clone()))
          .orTimeout(20, TimeUnit.SECONDS)
          .join();
    }
  }

  /** Writes one small block after the other to another file; nanoseconds that each took. */
  private static List<Long> writeUntil(AtomicBoolean over, Volume volume, long inode) {
    List<Long> latencies = new ArrayList<>();
    byte[] some = new byte[SMALL];
    new Random(11).nextBytes(some);
    while (!over.get()) {
      long at = (long) latencies.size() % (BLOCK / SMALL) * SMALL;
      long began = System.nanoTime();
      volume.write(inode, at, ByteBuffer.wrap(some)).orTimeout(40, TimeUnit.SECONDS).join();
      latencies.add(System.nanoTime() - began);
      if (latencies.size() % 50 == 0) {
        volume.flush(inode).orTimeout(40, TimeUnit.SECONDS).join();
      }
    }
    return latencies;
  }

  private static HostOptions.Settings withCatchUpRate(long rate) {
    HostOptions.Settings usual = HostOptions.Settings.DEFAULT;
    return new HostOptions.Settings(
        false,
        Optional.empty(),
        usual.weight(),
        Optional.empty(),
        Optional.empty(),
        usual.timeout(),
        Optional.empty(),
        rate);
  }

  @Test
  void aWriteWaitsForAsManyInSyncAsItsVolumeWantsNow() {
    ClusterClient cluster = hosts.getFirst().cluster();
    cluster
        .setVolume(new ClusterCommand.SetVolume("v", 3, CommitMode.SYNC, SpoolLimits.DEFAULT))
        .join();
    cluster.createVolume(new ClusterCommand.CreateVolume("w", 3, CommitMode.SYNC)).join();
    Host host = hosts.getFirst();
    await().until(() -> host.view().volumes().containsKey("w"));
    hosts.get(2).close();
    Volume strict = host.openVolume(host.view().volumes().get("v"));
    Volume usual = host.openVolume(host.view().volumes().get("w"));
    await()
        .atMost(30, TimeUnit.SECONDS)
        .until(
            () -> host.view().placement().groups().stream().allMatch(g -> g.inSync().size() == 2));
    CompletableFuture<Void> waits = strict.write(42, 0, ByteBuffer.allocate(BLOCK));
    usual.write(43, 0, ByteBuffer.allocate(BLOCK)).orTimeout(20, TimeUnit.SECONDS).join();
    assertThat(waits).isNotDone();
    cluster
        .setVolume(new ClusterCommand.SetVolume("v", 2, CommitMode.SYNC, SpoolLimits.DEFAULT))
        .join();
    waits.orTimeout(20, TimeUnit.SECONDS).join();
  }

  @Test
  void aClusterKeepsTheGroupsThatItWasFoundedWith() {
    HostOptions.Settings usual = HostOptions.Settings.DEFAULT;
    HostOptions.Settings other =
        new HostOptions.Settings(
            false,
            Optional.empty(),
            usual.weight(),
            Optional.empty(),
            Optional.of(64),
            usual.timeout(),
            Optional.empty(),
            0);
    hosts.getFirst().close();
    assertThatThrownBy(() -> start(1, Optional.empty(), other))
        .hasMessageContaining("was founded with 1024 placement groups")
        .hasMessageContaining("leave out --groups");
  }

  @Test
  void aHostThatWouldDetectFailuresInAnotherTimeIsNotLetIn() {
    Address first = hosts.getFirst().identity().address();
    HostOptions.Settings slow =
        new HostOptions.Settings(
            false,
            Optional.empty(),
            1,
            Optional.of(Duration.ofSeconds(9)),
            Optional.empty(),
            Duration.ofSeconds(30),
            Optional.empty(),
            0);
    assertThatThrownBy(() -> start(4, Optional.of(first), slow))
        .hasMessageContaining(
            "host 'host4' wants to detect failures in 9000 ms, and this cluster does in 2000 ms;"
                + " leave out --failure-detection");
    assertThat(hosts.getFirst().view().hosts()).hasSize(3);
    hosts.get(2).close();
    HostOptions.Settings hasty =
        new HostOptions.Settings(
            false,
            Optional.empty(),
            1,
            Optional.empty(),
            Optional.empty(),
            Duration.ofSeconds(3),
            Optional.empty(),
            0);
    assertThatThrownBy(() -> start(3, Optional.empty(), hasty))
        .hasMessageContaining("a write timeout of 3000 ms is less than twice")
        .hasMessageContaining("give --write-timeout 4000ms or more");
    assertThatThrownBy(() -> start(3, Optional.empty(), slow))
        .hasMessageContaining("whose cluster detects failures in 2000 ms, not in 9000 ms");
  }

  private static Volume volume(Host host) {
    return host.openVolume(host.view().volumes().get("v"));
  }

  private static List<DataRange> allocated(Volume volume) {
    return volume.allocated(42, 0, 1 << 30).orTimeout(20, TimeUnit.SECONDS).join();
  }

  private static DataRange blocksOf(long offset, long length) {
    long end = offset + length + ChunkId.BLOCK - 1;
    return new DataRange(offset - offset % ChunkId.BLOCK, end - end % ChunkId.BLOCK);
  }

  private void write(Host host, byte[] content) {
    Volume volume = host.openVolume(host.view().volumes().get("v"));
    List<CompletableFuture<Void>> parts = new ArrayList<>();
    for (int at = 0; at < content.length; at += BLOCK) {
      parts.add(volume.write(42, at + OFFSET, ByteBuffer.wrap(content, at, BLOCK).slice()));
    }
    parts.forEach(part -> part.orTimeout(40, TimeUnit.SECONDS).join());
    volume.flush(42).orTimeout(40, TimeUnit.SECONDS).join();
  }

  private byte[] read(Host host, int length) {
    Volume volume = host.openVolume(host.view().volumes().get("v"));
    byte[] bytes = new byte[length];
    for (int at = 0; at < length; at += BLOCK) {
      ByteBuffer part = volume.read(42, at + OFFSET, BLOCK).orTimeout(40, TimeUnit.SECONDS).join();
      part.get(part.position(), bytes, at, BLOCK);
    }
    return bytes;
  }

  private void awaitAllInSync() {
    await()
        .atMost(40, TimeUnit.SECONDS)
        .pollInterval(Duration.ofMillis(50))
        .until(
            () ->
                hosts.getFirst().view().placement().groups().stream()
                    .allMatch(
                        view ->
                            view.isOpen()
                                && view.inSync().size() == 3
                                && view.joining().isEmpty()));
  }

  private Host start(int number, Optional<Address> join) {
    return start(number, join, HostOptions.Settings.DEFAULT);
  }

  private Host start(int number, Optional<Address> join, HostOptions.Settings settings) {
    HostOptions options =
        new HostOptions(
            directory.resolve("host" + number),
            Optional.of("host" + number),
            Optional.of(new Address("127.0.0.1", 0)),
            join,
            settings);
    return Host.start(options, List.of(), (_, _) -> CompletableFuture.completedFuture(new byte[0]));
  }

  private Host restart(int index) {
    return start(index + 1, Optional.empty());
  }
}
