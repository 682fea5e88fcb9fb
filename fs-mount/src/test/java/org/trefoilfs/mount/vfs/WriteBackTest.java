package org.trefoilfs.mount.vfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.Names.RenameMode;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.testing.FaultyVolume.Kind;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.spool.Spool;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolStore;
import org.trefoilfs.replication.spool.SpooledRange;

/** Asynchronous commit at two mounts of one volume, without a kernel. */
class WriteBackTest {
  private static final byte[] COMMIT = "trefoil.commit".getBytes(UTF_8);
  private static final byte[] ASYNC = "async".getBytes(UTF_8);

  private final TestCluster cluster = new TestCluster("none async");
  private final Vfs here = cluster.vfs();
  private final Vfs there = cluster.vfs();
  private final ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    cluster.close();
    pool.close();
  }

  @Test
  void aWriteWaitsForNoReplicaAndIsReadHere() {
    var gate = cluster.volume.hold(Kind.WRITE);
    long file = create(here, "f");
    write(here, file, 0, "hello");
    write(here, file, 5, " world");
    assertThat(read(here, file)).isEqualTo("hello world");
    assertThat(here.lookup(here.root(), name("f")).size()).isEqualTo(11);
    assertThat(here.writeBack().window().bytes()).isEqualTo(11);
    gate.complete(null);
    here.sync(file);
    assertThat(here.writeBack().window().bytes()).isZero();
    assertThat(cluster.volume.calls()).containsExactly("write 0+5", "write 5+6", "flush");
  }

  @Test
  void whatOneMountWroteAnotherReads() {
    var gate = cluster.volume.hold(Kind.WRITE);
    long file = create(here, "f");
    write(here, file, 0, "hello");
    Future<String> read = pool.submit(() -> read(there, open(there, "f")));
    Future<Long> size = pool.submit(() -> there.lookup(there.root(), name("f")).size());
    await().during(Duration.ofMillis(50)).until(() -> !read.isDone() && !size.isDone());
    gate.complete(null);
    assertThat(read).succeedsWithin(Duration.ofSeconds(5)).isEqualTo("hello");
    assertThat(size).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(5L);
  }

  @Test
  void aFileThatTwoMountsWriteGoesThrough() {
    long file = create(here, "f");
    long same = open(there, "f");
    for (int i = 0; i < 20; i++) {
      write(i % 2 == 0 ? here : there, i % 2 == 0 ? file : same, i, "" + i % 10);
      assertThat(read(here, file)).isEqualTo("01234567890123456789".substring(0, i + 1));
      assertThat(read(there, same)).isEqualTo("01234567890123456789".substring(0, i + 1));
    }
    assertThat(there.writeBack().window().worstBytes()).isZero();
  }

  @Test
  void appendsOfOneMountFollowEachOther() {
    long file = create(here, "f");
    for (int i = 0; i < 10; i++) {
      here.write(file, new WriteRequest(0, bytes("" + i), OpenFlags.APPEND, Caller.ROOT));
    }
    assertThat(read(there, open(there, "f"))).isEqualTo("0123456789");
  }

  @Test
  void namesComeAfterTheData() {
    var gate = cluster.volume.hold(Kind.WRITE);
    long file = create(here, "f");
    write(here, file, 0, "hello");
    Future<?> rename =
        pool.submit(
            () ->
                here.rename(
                    Location.of(here.root(), name("f")),
                    Location.of(here.root(), name("g")),
                    RenameMode.REPLACE));
    await().during(Duration.ofMillis(50)).until(() -> !rename.isDone());
    gate.complete(null);
    assertThat(rename).succeedsWithin(Duration.ofSeconds(5));
    assertThat(there.lookup(there.root(), name("g")).size()).isEqualTo(5);
  }

  @Test
  void truncationComesAfterTheData() {
    long file = create(here, "f");
    write(here, file, 0, "hello");
    here.setAttributes(inode("f"), AttributeRequest.truncate(2));
    write(here, file, 3, "!");
    assertThat(read(there, open(there, "f"))).isEqualTo("he\0!");
    there.setAttributes(inode("f"), AttributeRequest.truncate(1));
    assertThat(read(here, file)).isEqualTo("h");
  }

  @Test
  void writersAreSlowedAtTheBound() {
    SpoolLimits limits = new SpoolLimits(Duration.ofSeconds(2), 1 << 20);
    Spool spool = new Spool(SpoolStore.MEMORY, SystemTime.INSTANCE, () -> limits);
    here.writeBack().attach(spool, cluster.volume, () -> true);
    var gate = cluster.volume.hold(Kind.WRITE);
    long file = create(here, "f");
    String most = "x".repeat(1 << 20);
    write(here, file, 0, most);
    Future<?> write = pool.submit(() -> write(here, file, 1 << 20, "y"));
    await().during(Duration.ofMillis(50)).until(() -> !write.isDone());
    gate.complete(null);
    assertThat(write).succeedsWithin(Duration.ofSeconds(5));
    assertThat(here.writeBack().window().slowedNanos()).isGreaterThan(10_000_000);
    assertThat(here.writeBack().window().worstBytes()).isEqualTo(1 << 20);
  }

  @Test
  void aLeaseIsKeptWhileSomethingWaitsUnderIt() {
    var gate = cluster.volume.hold(Kind.WRITE);
    long file = create(here, "f");
    write(here, file, 0, "hello");
    await()
        .during(Duration.ofMillis(1300))
        .atMost(Duration.ofSeconds(5))
        .until(() -> here.writeBack().window().bytes() == 5);
    write(here, file, 5, " world");
    assertThat(here.writeBack().window().bytes()).as("still asynchronous").isEqualTo(11);
    gate.complete(null);
    here.sync(file);
  }

  @Test
  void whatAnEvictedMountLosesIsSaidOnce() {
    cluster.volume.hold(Kind.WRITE);
    long file = create(here, "f");
    long other = create(here, "g");
    write(here, file, 3, "hello");
    long inode = inode0("f");
    List<SpooledRange> lost = here.writeBack().evicted();
    assertThat(lost).containsExactly(new SpooledRange(inode, 3, 8));
    cluster.volume.heal();
    here.writeBack()
        .attach(
            new Spool(SpoolStore.MEMORY, SystemTime.INSTANCE, () -> SpoolLimits.DEFAULT),
            cluster.volume,
            () -> true);
    assertThatThrownBy(() -> here.sync(file))
        .isInstanceOf(TrefoilException.class)
        .extracting("reason")
        .isEqualTo(Reason.IO);
    here.sync(file);
    here.sync(other);
  }

  @Test
  void whatAnEarlierDaemonsSpoolHasLostIsSaidOnce() {
    long file = create(here, "f");
    here.writeBack().lost(List.of(inode0("f")));
    assertThatThrownBy(() -> here.sync(file))
        .isInstanceOf(TrefoilException.class)
        .extracting("reason")
        .isEqualTo(Reason.IO);
    here.sync(file);
  }

  @Test
  void whileTheSessionIsInDoubtNothingIsTaken() {
    AtomicBoolean alive = new AtomicBoolean(true);
    Spool spool = new Spool(SpoolStore.MEMORY, SystemTime.INSTANCE, () -> SpoolLimits.DEFAULT);
    here.writeBack().attach(spool, cluster.volume, alive::get);
    long file = create(here, "f");
    write(here, file, 0, "a");
    here.sync(file);
    alive.set(false);
    Future<?> write = pool.submit(() -> write(here, file, 1, "b"));
    await().during(Duration.ofMillis(50)).until(() -> !write.isDone());
    alive.set(true);
    assertThat(write).succeedsWithin(Duration.ofSeconds(5));
    assertThat(read(here, file)).isEqualTo("ab");
  }

  @Test
  void theWayOfCommitIsInheritedAndSwitchesAtOnce() {
    AtomicReference<Boolean> volume = new AtomicReference<>(false);
    Vfs vfs =
        cluster.vfs(
            new VfsOptions(
                Duration.ofSeconds(5),
                Duration.ofMillis(100),
                rule ->
                    switch (rule) {
                      case VOLUME -> volume.get();
                      case SYNC -> false;
                      case ASYNC -> true;
                    },
                HandleTable.NONE,
                false));
    long directory =
        vfs.make(
                vfs.root(),
                name("d"),
                new NewInode(FileType.DIRECTORY.bits() | 0755, 0, 0, 0, new byte[0]))
            .inode();
    vfs.setXattr(directory, COMMIT, ASYNC, XattrMode.CREATE_OR_REPLACE);
    long below =
        vfs.make(
                directory,
                name("e"),
                new NewInode(FileType.DIRECTORY.bits() | 0755, 0, 0, 0, new byte[0]))
            .inode();
    assertThat(vfs.xattr(below, COMMIT)).isEqualTo(ASYNC);
    assertThat(vfs.xattrs(below, Caller.ROOT)).containsExactly(COMMIT);

    var gate = cluster.volume.hold(Kind.WRITE);
    Vfs.Opened file =
        vfs.create(
            below,
            name("f"),
            new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]),
            0);
    write(vfs, file.handle(), 0, "async");
    assertThat(vfs.writeBack().window().bytes()).isEqualTo(5);
    Future<?> switched =
        pool.submit(
            () ->
                vfs.setXattr(
                    file.attributes().inode(), COMMIT, "sync".getBytes(UTF_8), XattrMode.REPLACE));
    await().during(Duration.ofMillis(50)).until(() -> !switched.isDone());
    gate.complete(null);
    assertThat(switched).succeedsWithin(Duration.ofSeconds(5));
    cluster.volume.heal();
    vfs.attributes(file.attributes().inode());
    vfs.sync(file.handle());
    long again = vfs.open(file.attributes().inode());
    write(vfs, again, 5, "sync");
    assertThat(vfs.writeBack().window().bytes()).isZero();
    assertThat(read(there, there.open(file.attributes().inode()))).isEqualTo("asyncsync");

    assertThatThrownBy(() -> vfs.setXattr(below, COMMIT, bytes("often").array(), XattrMode.REPLACE))
        .extracting("reason")
        .isEqualTo(Reason.INVALID);
    vfs.removeXattr(below, COMMIT);
    assertThatThrownBy(() -> vfs.xattr(below, COMMIT))
        .extracting("reason")
        .isEqualTo(Reason.NO_ATTRIBUTE);
  }

  @Test
  void anUnlinkedFileIsKeptForWhatIsStillToBeWritten() {
    long file = create(here, "f");
    write(here, file, 0, "a");
    var gate = cluster.volume.hold(Kind.WRITE);
    write(here, file, 1, "b");
    CompletableFuture<Void> unlink =
        CompletableFuture.runAsync(() -> there.unlink(there.root(), name("f")), pool);
    assertThat(unlink).succeedsWithin(Duration.ofSeconds(5));
    here.writeBack();
    gate.complete(null);
    here.sync(file);
    assertThat(read(here, file)).isEqualTo("ab");
  }

  private long create(Vfs vfs, String name) {
    NewInode wanted = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    return vfs.create(vfs.root(), name(name), wanted, OpenFlags.EXCLUSIVE).handle();
  }

  private static long open(Vfs vfs, String name) {
    return vfs.open(vfs.lookup(vfs.root(), name(name)).inode());
  }

  private static void write(Vfs vfs, long file, long offset, String text) {
    vfs.write(file, new WriteRequest(offset, bytes(text), 0, Caller.ROOT));
  }

  private static String read(Vfs vfs, long file) {
    return UTF_8.decode(vfs.read(file, 0, 100)).toString();
  }

  private long inode(String name) {
    return there.lookup(there.root(), name(name)).inode();
  }

  private long inode0(String name) {
    return here.lookup(here.root(), name(name)).inode();
  }

  private static byte[] name(String text) {
    return text.getBytes(UTF_8);
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(UTF_8));
  }
}
