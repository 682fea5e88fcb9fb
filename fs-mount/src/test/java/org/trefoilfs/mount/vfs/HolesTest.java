package org.trefoilfs.mount.vfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.testing.FaultyVolume.Kind;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.mount.vfs.Vfs.Seek;
import org.trefoilfs.replication.Reason;

/** Holes as one mount sees them when replicas, or the namespace, answer late or not at all. */
class HolesTest {
  private static final int BLOCK = 4096;
  private static final byte[] NAME = "f".getBytes(UTF_8);

  private final TestCluster cluster = new TestCluster();
  private final TestCluster asynchronous = new TestCluster("libfuse async");
  private final ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    cluster.close();
    asynchronous.close();
    pool.close();
  }

  private static long create(Vfs vfs) {
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    return vfs.create(vfs.root(), NAME, file, 0).handle();
  }

  private static void write(Vfs vfs, long handle, long offset, int length) {
    byte[] data = new byte[length];
    Arrays.fill(data, (byte) 1);
    vfs.write(handle, new WriteRequest(offset, ByteBuffer.wrap(data), 0, Caller.ROOT));
  }

  private static Attributes stat(Vfs vfs) {
    return vfs.counted(vfs.lookup(vfs.root(), NAME));
  }

  @Test
  void whileNoReplicaAnswersHolesCountAsFilled() {
    Vfs vfs = cluster.vfs();
    write(vfs, create(vfs), 10 * BLOCK, BLOCK);
    assertThat(stat(vfs).allocated()).isEqualTo(BLOCK);
    cluster.volume.fail(Kind.ALLOCATED, Reason.UNAVAILABLE);
    assertThat(stat(vfs).allocated()).isEqualTo(11 * BLOCK);
    cluster.volume.heal();
    cluster.volume.hold(Kind.ALLOCATED);
    assertThat(stat(vfs).allocated()).isEqualTo(11 * BLOCK);
  }

  @Test
  void aLargeFileIsCountedAnewWhenItHasChanged() {
    Vfs vfs = cluster.vfs();
    long file = create(vfs);
    write(vfs, file, 5L << 30, BLOCK);
    assertThat(stat(vfs).allocated()).isEqualTo(BLOCK);
    long asked = questions();
    assertThat(stat(vfs).allocated()).isEqualTo(BLOCK);
    assertThat(questions()).isEqualTo(asked);
    write(vfs, file, 3L << 30, BLOCK);
    assertThat(stat(vfs).allocated()).isEqualTo(2 * BLOCK);
  }

  private long questions() {
    return cluster.volume.calls().stream().filter(call -> call.startsWith("allocated")).count();
  }

  /** Should the mount die in between, nobody would look for the hole. */
  @Test
  void aHoleIsToldBeforeItIsMade() {
    Vfs vfs = cluster.vfs();
    long file = create(vfs);
    write(vfs, file, 0, 4 * BLOCK);
    assertThat(vfs.lookup(vfs.root(), NAME).mayHaveHoles()).isFalse();
    CompletableFuture<Void> gate = cluster.volume.hold(Kind.PUNCH);
    Future<?> punch =
        pool.submit(() -> vfs.allocate(file, new AllocateRequest.Punch(BLOCK, 2 * BLOCK)));
    Vfs other = cluster.vfs();
    await().until(() -> other.lookup(other.root(), NAME).mayHaveHoles());
    assertThat(stat(other).allocated()).isEqualTo(4 * BLOCK);
    gate.complete(null);
    await().until(punch::isDone);
    assertThat(stat(other).allocated()).isEqualTo(2 * BLOCK);
  }

  @Test
  void whatWaitsInTheSpoolIsData() {
    Vfs vfs = asynchronous.vfs();
    CompletableFuture<Void> gate = asynchronous.volume.hold(Kind.WRITE);
    long file = create(vfs);
    write(vfs, file, 5 * BLOCK + 7, BLOCK);
    for (int round = 0; round < 2; round++) {
      assertThat(stat(vfs).size()).isEqualTo(6 * BLOCK + 7);
      assertThat(stat(vfs).allocated()).isEqualTo(2 * BLOCK);
      assertThat(vfs.seek(file, 9, Seek.DATA)).hasValue(5 * BLOCK);
      assertThat(vfs.seek(file, 5 * BLOCK, Seek.HOLE)).hasValue(6 * BLOCK + 7);
      gate.complete(null);
      vfs.sync(file);
    }
  }

  @Test
  void writesThatTheNamespaceIsToldOfTogetherHaveNoHolesUnlessThereIsAGap() {
    assertThat(toldTogether(0, 2, 1, 3).allocated()).isEqualTo(4 * BLOCK);
    assertThat(toldTogether(0, 3, 1).mayHaveHoles()).isTrue();
    assertThat(toldTogether(0, 1, 3).mayHaveHoles()).isTrue();
  }

  /** Writes these blocks of a new file; all but the first are told in one report. */
  private Attributes toldTogether(int... blocks) {
    Vfs vfs = cluster.vfs();
    long file = create(vfs);
    long inode = vfs.lookup(vfs.root(), NAME).inode();
    cluster.log.shut();
    List<Future<?>> writes = new ArrayList<>();
    for (int block : blocks) {
      long before = vfs.attributes(inode).mtime();
      writes.add(pool.submit(() -> write(vfs, file, (long) block * BLOCK, BLOCK)));
      await().until(() -> vfs.attributes(inode).mtime() > before);
    }
    cluster.log.open();
    writes.forEach(write -> await().until(write::isDone));
    Attributes found = vfs.lookup(vfs.root(), NAME);
    vfs.release(file);
    vfs.unlink(vfs.root(), NAME);
    return found;
  }
}
