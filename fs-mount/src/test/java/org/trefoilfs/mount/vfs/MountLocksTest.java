package org.trefoilfs.mount.vfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.namespace.FileType;
import org.trefoilfs.mount.namespace.LockKind;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.namespace.LockRequest;
import org.trefoilfs.mount.namespace.LockType;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.NewInode;
import org.trefoilfs.mount.testing.SwitchedNames;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.volume.Volume;

/** Locks at two mounts without a kernel: what goes wrong. */
class MountLocksTest {
  private static final VfsOptions IMPATIENT =
      TestCluster.OPTIONS.withTimeout(Duration.ofMillis(300));

  private final TestCluster cluster = new TestCluster("none");
  private final AtomicReference<Names> names = new AtomicReference<>(cluster.names());
  private final Vfs here = cluster.vfs(SwitchedNames.of(names), TestCluster.OPTIONS);
  private final Vfs there = cluster.vfs();

  @AfterEach
  void close() {
    here.locks().ended();
    there.locks().ended();
    cluster.close();
  }

  @Test
  void locksOfAnEvictedSessionAreFreeOnceItIsFencedAndItsOpenFilesSayEio() {
    long file = create(here, "f");
    long untouched = open(here, "f");
    lock(here, file, 1);
    CompletableFuture<Void> waiting = wait(there, open(there, "f"), 1).start();
    assertThat(cluster.lockWaits()).isEqualTo(1);
    evict();
    assertThat(waiting).succeedsWithin(Duration.ofSeconds(5));
    assertThatThrownBy(() -> write(here, file)).hasMessageContaining("evicted");
    assertThatThrownBy(() -> here.read(file, 0, 1)).hasMessageContaining("evicted");
    assertThatThrownBy(() -> lock(here, file, 1)).hasMessageContaining("evicted");
    write(here, untouched);
    here.release(file);
    write(here, open(here, "f"));
  }

  private void evict() {
    long over = names.get().session();
    here.locks().evicted();
    cluster.endSession(over);
    names.set(cluster.names());
  }

  @Test
  void writesAreMadeInTheSessionThatHasTheLock() {
    List<Long> sessions = new ArrayList<>();
    Volume recording =
        (Volume)
            Proxy.newProxyInstance(
                Volume.class.getClassLoader(),
                new Class<?>[] {Volume.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("inSession")) {
                    sessions.add(((LongSupplier) arguments[0]).getAsLong());
                    return proxy;
                  }
                  return method.invoke(cluster.volume, arguments);
                });
    Capacity none = new Capacity(0, 0, 0, 0);
    Vfs vfs =
        new Vfs(
            SwitchedNames.of(names),
            recording,
            () -> none,
            SystemTime.INSTANCE,
            TestCluster.OPTIONS);
    long file = create(vfs, "f");
    long session = names.get().session();
    write(vfs, file);
    assertThat(sessions).containsExactly(session);
    lock(vfs, file, 1);
    write(vfs, file);
    assertThat(sessions).containsExactly(session, session);
  }

  @Test
  void whoWaitsGoesOnInTheNextSession() {
    long file = create(there, "f");
    lock(there, file, 1);
    CompletableFuture<Void> waiting = wait(here, open(here, "f"), 1).start();
    evict();
    await().until(() -> cluster.lockWaits() == 1);
    there.release(file);
    assertThat(waiting).succeedsWithin(Duration.ofSeconds(5));
  }

  @Test
  void lockOfWhichTheOutcomeIsUnknownIsLetGo() {
    Vfs impatient = cluster.vfs(IMPATIENT);
    long file = create(impatient, "f");
    cluster.log.shut();
    CompletableFuture<Void> asked = request(impatient, file, 1, LockPatience.NONE).start();
    assertThat(reasonOf(asked)).isEqualTo(Reason.OUTCOME_UNKNOWN);
    int before = cluster.log.submitted();
    cluster.log.open();
    await().until(() -> cluster.log.submitted() > before && cluster.lockedFiles() == 0);
  }

  @Test
  void lockThatIsUndoneTakesNoLaterOneAlong() {
    long file = create(here, "f");
    PendingLock first = request(here, file, 1, LockPatience.NONE);
    first.start().join();
    cluster.log.shut();
    first.undo();
    CompletableFuture<Void> second = request(here, file, 1, LockPatience.NONE).start();
    assertThat(second).isNotDone();
    cluster.log.open();
    assertThat(second).succeedsWithin(Duration.ofSeconds(5));
    assertThat(reasonOf(request(there, open(there, "f"), 1, LockPatience.NONE).start()))
        .isEqualTo(Reason.WOULD_BLOCK);
  }

  @Test
  void requestIsInterruptedBeforeItBegins() {
    PendingLock lock = wait(here, create(here, "f"), 1);
    lock.interrupt();
    assertThat(reasonOf(lock.start())).isEqualTo(Reason.INTERRUPTED);
    assertThat(cluster.lockedFiles()).isZero();
  }

  @Test
  void requestThatIsInterruptedOnItsWayHasTheLockOrLeavesNothing() {
    long file = create(here, "f");
    cluster.log.shut();
    PendingLock granted = wait(here, file, 1);
    CompletableFuture<Void> first = granted.start();
    granted.interrupt();
    cluster.log.open();
    assertThat(first).succeedsWithin(Duration.ofSeconds(5));
    cluster.log.shut();
    PendingLock refused = wait(here, file, 2);
    CompletableFuture<Void> second = refused.start();
    refused.interrupt();
    assertThat(second).isNotDone();
    cluster.log.open();
    assertThat(reasonOf(second)).isEqualTo(Reason.INTERRUPTED);
    assertThat(cluster.lockWaits()).isZero();
  }

  @Test
  void interruptIsAnsweredInTimeThoughTheClusterIsNot() {
    Vfs impatient = cluster.vfs(IMPATIENT);
    long file = create(impatient, "f");
    lock(impatient, file, 1);
    cluster.log.shut();
    PendingLock waiting = wait(impatient, file, 2);
    CompletableFuture<Void> done = waiting.start();
    waiting.interrupt();
    assertThat(reasonOf(done)).isEqualTo(Reason.INTERRUPTED);
    cluster.log.open();
    await().until(() -> cluster.lockWaits() == 0);
    impatient.release(file);
    assertThat(cluster.lockedFiles()).isZero();
  }

  @Test
  void readerBehindAWaitingWriterIsLetPastItAfterAWhile() {
    long file = create(here, "f");
    request(here, file, 1, LockType.READ, LockPatience.NONE).start().join();
    CompletableFuture<Void> writer = wait(there, open(there, "f"), 1).start();
    CompletableFuture<Void> reader =
        request(here, file, 2, LockType.READ, LockPatience.WAIT).start();
    assertThat(cluster.lockWaits()).isEqualTo(2);
    assertThat(reader).succeedsWithin(Duration.ofSeconds(5));
    assertThat(writer).isNotDone();
    here.release(file);
    assertThat(writer).succeedsWithin(Duration.ofSeconds(5));
  }

  @Test
  void closedFileIsLetGoWhenTheClusterAnswersAgain() {
    Vfs impatient = cluster.vfs(IMPATIENT);
    long file = create(impatient, "f");
    lock(impatient, file, 1);
    cluster.log.shut();
    impatient.flush(file, 1);
    cluster.log.open();
    await().until(() -> cluster.lockedFiles() == 0);
  }

  private static long create(Vfs vfs, String name) {
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    return vfs.create(vfs.root(), name.getBytes(UTF_8), file, 0).handle();
  }

  private static long open(Vfs vfs, String name) {
    return vfs.open(vfs.lookup(vfs.root(), name.getBytes(UTF_8)).inode());
  }

  private static void write(Vfs vfs, long file) {
    vfs.write(file, new WriteRequest(0, ByteBuffer.wrap(new byte[1]), 0, Caller.ROOT));
  }

  private static void lock(Vfs vfs, long file, long owner) {
    request(vfs, file, owner, LockPatience.NONE).start().join();
  }

  private static PendingLock wait(Vfs vfs, long file, long owner) {
    return request(vfs, file, owner, LockPatience.WAIT);
  }

  private static PendingLock request(Vfs vfs, long file, long owner, LockPatience patience) {
    return request(vfs, file, owner, LockType.WRITE, patience);
  }

  private static PendingLock request(
      Vfs vfs, long file, long owner, LockType type, LockPatience patience) {
    return vfs.lock(
        file, new LockRequest(LockKind.POSIX, owner, type, LockRange.WHOLE, 1), patience);
  }

  private static Reason reasonOf(CompletableFuture<Void> future) {
    try {
      future.orTimeout(10, java.util.concurrent.TimeUnit.SECONDS).join();
      throw new AssertionError("succeeded");
    } catch (CompletionException failed) {
      return TrefoilException.of(failed).reason();
    }
  }
}
