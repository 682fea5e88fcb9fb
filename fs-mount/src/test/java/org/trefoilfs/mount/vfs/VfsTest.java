package org.trefoilfs.mount.vfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.Names.XattrMode;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.testing.FaultyVolume.Kind;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;

/** The meaning of calls, without a kernel. */
class VfsTest {
  private final TestCluster cluster = new TestCluster();
  private final Vfs vfs = cluster.vfs();
  private final ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    cluster.close();
    pool.close();
  }

  @Test
  void sizeIsNotCommittedBeforeTheData() {
    long file = create("f");
    var gate = cluster.volume.hold(Kind.WRITE);
    int before = cluster.log.submitted();
    var write = pool.submit(() -> write(file, 0, "data"));
    await().until(() -> cluster.volume.calls().contains("write 0+4"));
    assertThat(cluster.log.submitted()).isEqualTo(before);
    assertThat(size("f")).isZero();
    gate.complete(null);
    await().until(write::isDone);
    assertThat(size("f")).isEqualTo(4);
  }

  @Test
  void writeThatFailsLeavesTheSize() {
    long file = create("f");
    cluster.volume.fail(Kind.WRITE, Reason.NO_SPACE);
    assertReason(Reason.NO_SPACE, () -> write(file, 0, "data"));
    assertThat(size("f")).isZero();
  }

  @Test
  void extendingWritesAtOnceShareCommits() {
    long file = create("f");
    cluster.log.shut();
    int before = cluster.log.submitted();
    List<CompletableFuture<Void>> writes = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      int offset = i * 4;
      writes.add(CompletableFuture.runAsync(() -> write(file, offset, "data"), pool));
    }
    // All but one wait for the next report; a short moment lets stragglers merge, none is counted.
    await().until(() -> cluster.volume.calls().size() == 50 && cluster.log.submitted() > before);
    cluster.log.open();
    CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new)).join();
    assertThat(size("f")).isEqualTo(200);
    assertThat(cluster.log.submitted() - before).isLessThan(25);
  }

  @Test
  void writesInPlaceDoNotWaitForACommit() {
    long file = create("f");
    write(file, 0, "0123456789");
    cluster.log.shut();
    for (int i = 0; i < 10; i++) {
      write(file, i, "x");
    }
    assertThat(read(file, 0, 10)).isEqualTo("x".repeat(10));
    int before = cluster.log.submitted();
    cluster.log.open();
    vfs.flush(file);
    assertThat(cluster.log.submitted() - before).isLessThanOrEqualTo(1);
  }

  @Test
  void namespaceAndReplicasSyncAtTheSameTime() {
    long file = create("f");
    write(file, 0, "0123456789");
    write(file, 2, "x");
    cluster.log.shut();
    var sync = pool.submit(() -> vfs.sync(file));
    await().until(() -> cluster.volume.calls().contains("flush"));
    assertThat(sync.isDone()).as("it waits for the time to be told").isFalse();
    cluster.log.open();
    await().until(sync::isDone);

    var gate = cluster.volume.hold(Kind.FLUSH);
    write(file, 3, "x");
    int before = cluster.log.submitted();
    var again = pool.submit(() -> vfs.sync(file));
    await().until(() -> cluster.log.submitted() > before);
    assertThat(again.isDone()).as("it waits for the replicas").isFalse();
    gate.complete(null);
    await().until(again::isDone);
  }

  @Test
  void dataAloneIsSyncedWithoutACommit() {
    long file = create("f");
    write(file, 0, "0123456789");
    write(file, 2, "x");
    cluster.log.shut();
    vfs.syncData(file);
    assertThat(cluster.volume.calls()).endsWith("flush");
    cluster.log.open();
  }

  @Test
  void lateReportDoesNotOvertakeAnExplicitTime() {
    long file = create("f");
    long inode = inode("f");
    write(file, 0, "0123456789");
    write(file, 2, "x");
    vfs.setAttributes(inode, times(5));
    vfs.flush(file);
    vfs.release(file);
    assertThat(vfs.attributes(inode).mtime()).isEqualTo(5);
  }

  @Test
  void shrinkingZeroesBeforeTheSizeGoes() {
    long file = create("f");
    write(file, 0, "0123456789");
    vfs.setAttributes(inode("f"), AttributeRequest.truncate(4));
    assertThat(cluster.volume.calls()).endsWith("punch 4+6");
    vfs.setAttributes(inode("f"), AttributeRequest.truncate(8));
    assertThat(read(file, 0, 10)).isEqualTo("0123\0\0\0\0");
  }

  @Test
  void growingZeroesTheRestOfTheLastChunk() {
    long file = create("f");
    vfs.setAttributes(inode("f"), AttributeRequest.truncate(ChunkId.SIZE));
    assertThat(cluster.volume.calls()).as("aligned: nothing to zero").isEmpty();
    write(file, ChunkId.SIZE, "tail");
    vfs.setAttributes(inode("f"), AttributeRequest.truncate(ChunkId.SIZE + 100L));
    assertThat(cluster.volume.calls())
        .endsWith("punch " + (ChunkId.SIZE + 4) + "+" + (ChunkId.SIZE - 4));
  }

  @Test
  void bytesOfAFailedWriteNeverAppear() {
    long file = create("f");
    write(file, 0, "head");
    cluster.volume.loseAnswers();
    assertReason(Reason.OUTCOME_UNKNOWN, () -> write(file, 4, "lost bytes"));
    cluster.volume.heal();
    write(file, 20, "tail");
    assertThat(read(file, 0, 100)).isEqualTo("head" + "\0".repeat(16) + "tail");
    cluster.volume.loseAnswers();
    assertReason(Reason.OUTCOME_UNKNOWN, () -> write(file, 24, "lost"));
    cluster.volume.heal();
    vfs.setAttributes(inode("f"), AttributeRequest.truncate(30));
    assertThat(read(file, 20, 100)).isEqualTo("tail" + "\0".repeat(6));
  }

  @Test
  void appendGoesWhereTheFileEndsNow() {
    long file = create("f");
    Vfs other = cluster.vfs();
    long there = other.open(inode("f"));
    vfs.write(file, append("a"));
    other.write(there, append("b"));
    vfs.write(file, append("c"));
    assertThat(read(file, 0, 10)).isEqualTo("abc");
  }

  @Test
  void writeAfterTheOtherMountTruncatedExtendsAgain() {
    long file = create("f");
    write(file, 0, "0123456789");
    cluster.vfs().setAttributes(inode("f"), AttributeRequest.truncate(2));
    write(file, 4, "xy");
    assertThat(size("f")).isEqualTo(6);
    assertThat(read(file, 0, 10)).isEqualTo("01\0\0xy");
  }

  @Test
  void dataSyncWriteIsFlushedBeforeItReturns() {
    long file = create("f");
    vfs.write(file, new WriteRequest(0, bytes("data"), OpenFlags.DATA_SYNC, Caller.ROOT));
    assertThat(cluster.volume.calls()).containsExactly("write 0+4", "flush");
  }

  @Test
  void writeByAnotherUserDropsSetUserId() {
    long file = create("f");
    write(file, 0, "data");
    chmod("f", 04755);
    write(file, 0, "root");
    assertThat(mode("f")).isEqualTo(04755);
    vfs.write(file, new WriteRequest(0, bytes("user"), 0, new Caller(1000, 1000)));
    assertThat(mode("f")).isEqualTo(0755);
  }

  @Test
  void callsEndByTheTimeoutAndSayWhatIsKnown() {
    Vfs hasty = cluster.vfs(TestCluster.OPTIONS.withTimeout(Duration.ofMillis(50)));
    long file = create("f");
    write(file, 0, "data");
    long there = hasty.open(inode("f"));
    cluster.volume.hold(Kind.READ);
    assertReason(Reason.UNAVAILABLE, () -> hasty.read(there, 0, 4));
    cluster.volume.hold(Kind.WRITE);
    assertReason(
        Reason.OUTCOME_UNKNOWN,
        () -> hasty.write(there, new WriteRequest(0, bytes("x"), 0, Caller.ROOT)));
  }

  @Test
  void orphanIsPinnedWhileOpenAndLetGoAfterwards() {
    long file = create("f");
    long inode = inode("f");
    cluster.vfs().unlink(vfs.root(), name("f"));
    long cursor = vfs.orphans().poll().join();
    assertThat(cursor).isPositive();
    assertThat(vfs.attributes(inode).nlink()).isZero();
    int before = cluster.log.submitted();
    vfs.release(file);
    assertThat(cluster.log.submitted()).as("unpinned").isEqualTo(before + 1);
    assertThat(vfs.orphans().poll().join()).isEqualTo(cursor);
  }

  @Test
  void whatIsOpenIsPinnedBeforeItsNameGoes() {
    long file = create("f");
    create("g");
    int before = cluster.log.submitted();
    vfs.unlink(vfs.root(), name("f"));
    assertThat(cluster.log.submitted()).as("pin and unlink").isEqualTo(before + 2);
    write(file, 0, "still");
    assertThat(read(file, 0, 10)).isEqualTo("still");
  }

  @Test
  void createOpensWhatAnotherMountMadeMeanwhile() {
    create("f");
    NewInode inode = new NewInode(FileType.REGULAR.bits() | 0600, 0, 0, 0, new byte[0]);
    long file = vfs.create(vfs.root(), name("f"), inode, 0).handle();
    write(file, 0, "text");
    assertThat(vfs.create(vfs.root(), name("f"), inode, OpenFlags.TRUNCATE).attributes().size())
        .isZero();
    assertReason(
        Reason.EXISTS, () -> vfs.create(vfs.root(), name("f"), inode, OpenFlags.EXCLUSIVE));
  }

  @Test
  void whatIsGoneIsStaleAndHandlesAreNotReused() {
    assertReason(Reason.STALE, () -> vfs.attributes(123456));
    assertReason(Reason.STALE, () -> vfs.open(123456));
    assertReason(Reason.NOT_FOUND, () -> vfs.lookup(vfs.root(), name("none")));
    long file = create("f");
    vfs.release(file);
    assertReason(Reason.STALE, () -> vfs.read(file, 0, 1));
    assertThat(vfs.open(inode("f"))).isNotEqualTo(file);
  }

  @Test
  void offsetsBeyondTheLargestFileAreRefused() {
    long file = create("f");
    assertReason(Reason.TOO_LARGE, () -> write(file, 1L << 60, "x"));
    assertReason(
        Reason.TOO_LARGE,
        () -> vfs.setAttributes(inode("f"), AttributeRequest.truncate(Long.MAX_VALUE)));
    assertReason(Reason.NOT_SUPPORTED, () -> AllocateRequest.of(0x20, 0, 10));
  }

  @Test
  void aclsAreRefusedAndTrustedAttributesHidden() {
    create("f");
    long inode = inode("f");
    assertReason(Reason.NOT_SUPPORTED, () -> vfs.xattr(inode, name("system.posix_acl_access")));
    for (String known : Set.of("user.a", "trusted.b", "security.c")) {
      vfs.setXattr(inode, name(known), name("v"), XattrMode.CREATE_OR_REPLACE);
    }
    assertThat(xattrs(inode, Caller.ROOT)).containsOnly("user.a", "trusted.b", "security.c");
    assertThat(xattrs(inode, new Caller(1, 1))).containsOnly("user.a", "security.c");
  }

  private Stream<String> xattrs(long inode, Caller caller) {
    return vfs.xattrs(inode, caller).stream().map(name -> new String(name, UTF_8));
  }

  private long create(String name) {
    NewInode inode = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    return vfs.create(vfs.root(), name(name), inode, OpenFlags.EXCLUSIVE).handle();
  }

  private int write(long file, long offset, String text) {
    return vfs.write(file, new WriteRequest(offset, bytes(text), 0, Caller.ROOT));
  }

  private static WriteRequest append(String text) {
    return new WriteRequest(0, bytes(text), OpenFlags.APPEND, Caller.ROOT);
  }

  private String read(long file, long offset, int length) {
    return UTF_8.decode(vfs.read(file, offset, length)).toString();
  }

  private long inode(String name) {
    return vfs.lookup(vfs.root(), name(name)).inode();
  }

  private long size(String name) {
    return vfs.lookup(vfs.root(), name(name)).size();
  }

  private int mode(String name) {
    return vfs.lookup(vfs.root(), name(name)).mode() & 07777;
  }

  private void chmod(String name, int mode) {
    AttributeRequest nothing = AttributeRequest.truncate(0);
    vfs.setAttributes(
        inode(name),
        new AttributeRequest(
            java.util.OptionalInt.of(mode),
            nothing.uid(),
            nothing.gid(),
            java.util.OptionalLong.empty(),
            AttributeRequest.TimeSettings.KEEP));
  }

  private static AttributeRequest times(long mtime) {
    return new AttributeRequest(
        java.util.OptionalInt.empty(),
        java.util.OptionalInt.empty(),
        java.util.OptionalInt.empty(),
        java.util.OptionalLong.empty(),
        new AttributeRequest.TimeSettings(TimeSetting.KEEP, new TimeSetting.At(mtime)));
  }

  private static byte[] name(String text) {
    return text.getBytes(UTF_8);
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(UTF_8));
  }

  private static void assertReason(Reason reason, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }
}
