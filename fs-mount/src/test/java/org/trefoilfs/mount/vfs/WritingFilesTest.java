package org.trefoilfs.mount.vfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.namespace.Writers;
import org.trefoilfs.mount.testing.FaultyVolume.Kind;
import org.trefoilfs.mount.testing.SwitchedNames;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.replication.Reason;

/** What a mount tells others of files that it writes. */
class WritingFilesTest {
  private static final byte[] NAME = "f".getBytes(UTF_8);

  private final TestCluster cluster = new TestCluster("none");
  private final AtomicReference<Names> names = new AtomicReference<>(cluster.names());
  private final Names elsewhere = cluster.names();
  private final Vfs vfs = cluster.vfs(SwitchedNames.of(names), TestCluster.OPTIONS);
  private final ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    cluster.close();
    pool.close();
  }

  private Writers writers() {
    return elsewhere.lookup(Location.of(elsewhere.root(), NAME)).join().writers();
  }

  private long create() {
    NewInode wanted = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    return vfs.create(vfs.root(), NAME, wanted, OpenFlags.EXCLUSIVE).handle();
  }

  private long open() {
    return vfs.open(vfs.lookup(vfs.root(), NAME).inode());
  }

  private void write(long file, long offset) {
    vfs.write(file, new WriteRequest(offset, ByteBuffer.wrap(NAME), 0, Caller.ROOT));
  }

  @Test
  void theyHearOfTheFirstWriteBeforeItIsMadeAndOfTheEnd() {
    long file = create();
    assertThat(writers().sessions()).containsExactly(names.get().session());
    vfs.release(file);
    await().until(() -> writers().sessions().isEmpty());
    long again = open();
    assertThat(writers().sessions()).as("opened, not written").isEmpty();
    var gate = cluster.volume.hold(Kind.WRITE);
    Future<?> write = pool.submit(() -> write(again, 0));
    await().until(() -> cluster.volume.calls().contains("write 0+1"));
    assertThat(writers().sessions()).containsExactly(names.get().session());
    gate.complete(null);
    assertThat(write).succeedsWithin(Duration.ofSeconds(5));
    await().until(() -> writers().sessions().isEmpty());
  }

  @Test
  void itIsSaidOnceForAllWhoWriteAtOnce() {
    vfs.release(create());
    await().until(() -> writers().sessions().isEmpty());
    long version = writers().version();
    long file = open();
    List<CompletableFuture<Void>> writes = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      int offset = i;
      writes.add(CompletableFuture.runAsync(() -> write(file, offset), pool));
    }
    CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new)).join();
    assertThat(writers().version()).isEqualTo(version + 1);
  }

  @Test
  void writeOfWhichTheOutcomeIsUnknownMayStillHappen() {
    long file = create();
    cluster.volume.loseAnswers();
    assertThatThrownBy(() -> write(file, 0)).extracting("reason").isEqualTo(Reason.OUTCOME_UNKNOWN);
    cluster.volume.heal();
    vfs.release(file);
    await()
        .during(Duration.ofMillis(1500))
        .atMost(Duration.ofSeconds(3))
        .until(() -> writers().sessions().contains(names.get().session()));
    cluster.endSession(names.get().session());
    assertThat(writers().sessions()).isEmpty();
  }

  @Test
  void writeThatIsUnderWayWhenItsSessionEndsGoesOnInTheNext() {
    long file = create();
    var gate = cluster.volume.hold(Kind.WRITE);
    Future<?> write = pool.submit(() -> write(file, 0));
    await().until(() -> cluster.volume.calls().contains("write 0+1"));
    cluster.endSession(names.get().session());
    vfs.writeBack().evicted();
    assertThat(writers().sessions()).isEmpty();
    names.set(cluster.names());
    await().until(() -> writers().sessions().contains(names.get().session()));
    assertThat(write).isNotDone();
    gate.complete(null);
    assertThat(write).succeedsWithin(Duration.ofSeconds(5));
  }
}
