package org.trefoilfs.mount.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.mount.testing.Locker;
import org.trefoilfs.mount.testing.Shell;
import org.trefoilfs.mount.testing.TestCluster;

/** Locks of processes at two mounts of one volume. */
@Timeout(60)
@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"libfuse", "kernel", "kernel async"})
class LockMountTest {
  private static final String AGAIN = "errno " + Errno.EAGAIN;

  private static TestCluster cluster;

  @TempDir(cleanup = CleanupMode.NEVER)
  static Path temp;

  private static Path a;
  private static Path b;
  @Parameter String transport;
  private final List<Locker> lockers = new ArrayList<>();
  private String name;

  @AfterAll
  static void removeMountPoints() throws IOException {
    Files.delete(temp);
  }

  @BeforeParameterizedClassInvocation
  static void mount(String transport) throws Exception {
    cluster = new TestCluster(transport);
    a = cluster.mount(temp.resolve("a"), "threads=4").mountPoint();
    b = cluster.mount(temp.resolve("b"), "threads=4").mountPoint();
  }

  @AfterParameterizedClassInvocation
  static void unmount() throws Exception {
    cluster.close();
    Files.delete(a);
    Files.delete(b);
  }

  @BeforeEach
  void file(TestInfo test) throws IOException {
    name = test.getTestMethod().orElseThrow().getName();
    Files.createFile(a.resolve(name));
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    for (Locker locker : lockers) {
      locker.close();
    }
    await().until(() -> cluster.lockedFiles() == 0 && cluster.lockWaits() == 0);
  }

  /** A process that has the test's file open as "f". */
  private Locker at(Path mount) throws Exception {
    Locker locker = Locker.start();
    lockers.add(locker);
    assertThat(locker.call("open f " + mount.resolve(name))).isEqualTo("ok");
    return locker;
  }

  private static void ok(String answer) {
    assertThat(answer).isEqualTo("ok");
  }

  private static ConditionFactory soon() {
    return await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5));
  }

  /** Sends a request that has to wait, and returns when it does. */
  private static void blocks(Locker locker, String command) {
    int before = cluster.lockWaits();
    locker.send(command);
    soon().until(() -> cluster.lockWaits() == before + 1);
    assertThat(locker.hasAnswer()).isFalse();
  }

  @Test
  void exclusiveFlockIsSeenByTheOtherMount() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("flock f ex nb"));
    assertThat(there.call("flock f ex nb")).isEqualTo(AGAIN);
    assertThat(there.call("flock f sh nb")).isEqualTo(AGAIN);
    ok(here.call("flock f sh nb"));
    ok(there.call("flock f sh nb"));
    assertThat(here.call("flock f ex nb")).isEqualTo(AGAIN);
    ok(there.call("flock f un"));
    ok(here.call("flock f ex nb"));
  }

  @Test
  void utilitysFlockIsSeenByTheOtherMount() throws Exception {
    Locker here = at(a);
    ok(here.call("flock f ex"));
    assertThat(Shell.run(b, "flock -n " + name + " true").exit()).isEqualTo(1);
    ok(here.call("flock f un"));
    Shell.run(b, "flock -n " + name + " true").succeeds();
  }

  @Test
  void rangesAreSplitAndJoined() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("posix f w 0 100"));
    ok(here.call("posix f u 40 20"));
    ok(there.call("posix f w 40 20"));
    assertThat(there.call("posix f r 39 1")).isEqualTo(AGAIN);
    assertThat(there.call("posix f r 60 1")).isEqualTo(AGAIN);
    ok(there.call("posix f w 100 0"));
    ok(here.call("posix f r 0 40"));
    ok(there.call("posix f r 0 40"));
    assertThat(here.call("posix f w 0 1")).isEqualTo(AGAIN);
    ok(there.call("posix f u 0 0"));
    ok(here.call("posix f w 0 0"));
    assertThat(there.call("getlk f r 50 1")).isEqualTo("ok 1 0 0 0");
  }

  @Test
  void holderIsNamedAtItsOwnMount() throws Exception {
    Locker here = at(a);
    Locker beside = at(a);
    ok(here.call("posix f r 10 5"));
    assertThat(beside.call("getlk f w 0 0")).isEqualTo("ok 0 10 5 " + here.pid());
    assertThat(beside.call("getlk f r 0 0")).isEqualTo("ok free");
    assertThat(beside.call("getlk f w 15 5")).isEqualTo("ok free");
    assertThat(here.call("getlk f w 0 0")).isEqualTo("ok free");
  }

  @Test
  void javasLocksAreSeenByTheOtherMount() throws Exception {
    Locker there = at(b);
    try (FileChannel channel = FileChannel.open(a.resolve(name), StandardOpenOption.WRITE)) {
      try (FileLock lock = channel.lock(10, 10, false)) {
        assertThat(lock.isValid()).isTrue();
        assertThat(there.call("posix f r 19 1")).isEqualTo(AGAIN);
        ok(there.call("posix f w 20 1"));
      }
      ok(there.call("posix f r 19 1"));
      assertThat(channel.tryLock(0, 30, false)).isNull();
    }
  }

  @Test
  void flockAndPosixLocksIgnoreEachOther() throws Exception {
    ok(at(a).call("flock f ex nb"));
    ok(at(b).call("posix f w 0 0"));
  }

  @Test
  void whoWaitsGetsTheLockWhenItIsLetGo() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("posix f w 0 10"));
    blocks(there, "posix f w 5 10 wait");
    ok(here.call("posix f u 0 10"));
    ok(there.answer());
    assertThat(here.call("posix f r 14 1")).isEqualTo(AGAIN);
    blocks(here, "posix f r 14 1 wait");
    ok(there.call("posix f u 0 0"));
    ok(here.answer());
  }

  @Test
  void whoWaitsGetsTheLockWhenTheFileIsClosed() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    for (String lock : List.of("posix f w 0 0", "flock f ex", "ofd f w 0 0")) {
      ok(here.call(lock));
      blocks(there, lock + (lock.startsWith("flock") ? "" : " wait"));
      ok(here.call("close f"));
      ok(there.answer());
      ok(there.call("close f"));
      ok(here.call("open f " + a.resolve(name)));
      ok(there.call("open f " + b.resolve(name)));
    }
  }

  @Test
  void whoWaitsGetsTheLockWhenItsHolderIsKilled() throws Exception {
    Locker there = at(b);
    for (String lock : List.of("posix f w 0 0", "flock f ex", "ofd f w 0 0")) {
      Locker here = at(a);
      ok(here.call(lock));
      blocks(there, lock + (lock.startsWith("flock") ? "" : " wait"));
      here.kill();
      ok(there.answer());
      ok(there.call("close f"));
      ok(there.call("open f " + b.resolve(name)));
    }
  }

  @Test
  void anyDescriptorsCloseEndsTheProcessPosixLocksButNotOfdLocks() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("open g " + a.resolve(name)));
    ok(here.call("posix f w 0 1"));
    ok(here.call("ofd f w 1 1"));
    ok(here.call("close g"));
    ok(there.call("posix f w 0 1"));
    assertThat(there.call("ofd f r 1 1")).isEqualTo(AGAIN);
    ok(here.call("close f"));
    await().until(() -> there.call("ofd f w 1 1").equals("ok"));
  }

  @Test
  void ofdLocksOfOneProcessKeepEachOtherOut() throws Exception {
    Locker here = at(a);
    ok(here.call("open g " + a.resolve(name)));
    ok(here.call("ofd f w 0 1"));
    assertThat(here.call("ofd g w 0 1")).isEqualTo(AGAIN);
    ok(here.call("ofd g w 1 1"));
  }

  @Test
  void signalEndsTheWait() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("posix f w 0 0"));
    blocks(there, "posix f w 0 0 wait");
    there.interrupt();
    assertThat(there.answer()).isEqualTo("errno " + Errno.EINTR);
    assertThat(cluster.lockWaits()).isZero();
    ok(here.call("posix f u 0 0"));
    ok(here.call("flock f ex"));
    blocks(there, "flock f ex");
    there.interrupt();
    assertThat(there.answer()).isEqualTo("errno " + Errno.EINTR);
    ok(here.call("flock f un"));
    ok(here.call("flock f ex"));
  }

  @Test
  void killedWaiterLeavesNothing() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("posix f w 0 0"));
    blocks(there, "posix f w 0 0 wait");
    there.kill();
    await().until(() -> cluster.lockWaits() == 0);
    ok(here.call("posix f u 0 0"));
    ok(at(b).call("posix f w 0 0"));
  }

  @Test
  void circleOfWaitsAcrossMountsIsADeadlock() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("posix f w 0 1"));
    ok(there.call("posix f w 1 1"));
    blocks(here, "posix f w 1 1 wait");
    assertThat(there.call("posix f w 0 1 wait")).isEqualTo("errno " + Errno.EDEADLK);
    ok(there.call("posix f u 0 0"));
    ok(here.answer());
  }

  @Test
  void fortyThatWaitDoNotHoldUpTheMount() throws Exception {
    Locker here = at(b);
    ok(here.call("flock f ex"));
    List<Locker> waiting = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      Locker locker = at(b);
      locker.send("flock f ex");
      waiting.add(locker);
    }
    await().until(() -> cluster.lockWaits() == 40);
    Files.writeString(b.resolve(name + "2"), "written");
    assertThat(a.resolve(name + "2")).hasContent("written");
    ok(here.call("flock f un"));
    List<Locker> left = new ArrayList<>(waiting);
    while (!left.isEmpty()) {
      soon().until(() -> left.stream().anyMatch(Locker::hasAnswer));
      Locker next = left.stream().filter(Locker::hasAnswer).findAny().orElseThrow();
      ok(next.answer());
      ok(next.call("flock f un"));
      left.remove(next);
    }
  }

  @Test
  void holderSeesWhatTheOneBeforeItWrote() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    Path seen = b.resolve(name);
    for (int i = 10; i < 30; i++) {
      ok(here.call("posix f w 0 0"));
      ok(here.call("write f " + i));
      FileTime written = Files.getLastModifiedTime(a.resolve(name));
      blocks(there, "posix f w 0 0 wait");
      ok(here.call("posix f u 0 0"));
      ok(there.answer());
      assertThat(there.call("read f 1000")).endsWith("" + i);
      assertThat(Files.getLastModifiedTime(seen)).isEqualTo(written);
      ok(there.call("posix f u 0 0"));
    }
  }

  @Test
  void timeOfAWriteInPlaceIsToldBeforeTheLockIsLetGo() throws Exception {
    Files.writeString(a.resolve(name), "0123456789");
    Locker there = at(b);
    try (FileChannel here = FileChannel.open(a.resolve(name), StandardOpenOption.WRITE)) {
      for (int i = 0; i < 20; i++) {
        FileTime written;
        try (FileLock lock = here.lock()) {
          assertThat(lock.isShared()).isFalse();
          here.write(ByteBuffer.wrap(new byte[] {(byte) ('a' + i)}), 0);
          written = Files.getLastModifiedTime(a.resolve(name));
        }
        ok(there.call("posix f w 0 0"));
        assertThat(Files.getLastModifiedTime(b.resolve(name))).isEqualTo(written);
        ok(there.call("posix f u 0 0"));
      }
    }
  }

  @Test
  void mountThatIsTakenAwayByForceOwesNothingToWhoWaits() throws Exception {
    MountHandle third = cluster.mount(temp.resolve("c"), "threads=4");
    ok(at(a).call("flock f ex"));
    Locker waiting = at(third.mountPoint());
    blocks(waiting, "flock f ex");
    Shell.run(temp, "umount -f c; umount -l c");
    assertThat(third.awaitExit(Duration.ofSeconds(20))).isTrue();
    assertThat(waiting.answer()).startsWith("errno ");
    await().until(() -> cluster.lockWaits() == 0);
    Files.delete(third.mountPoint());
  }

  @Test
  void unlinkedFileIsLockedOn() throws Exception {
    Locker here = at(a);
    Locker beside = at(a);
    Files.delete(a.resolve(name));
    ok(here.call("posix f w 0 0"));
    assertThat(beside.call("posix f w 0 0")).isEqualTo(AGAIN);
    blocks(beside, "posix f w 0 0 wait");
    ok(here.call("close f"));
    ok(beside.answer());
  }

  @Test
  void fileWithoutLocksIsClosedWithoutACommit() throws Exception {
    Locker here = at(a);
    Locker there = at(b);
    ok(here.call("posix f w 0 0"));
    int before = cluster.log.submitted();
    ok(there.call("posix f u 0 0"));
    ok(there.call("close f"));
    assertThat(cluster.log.submitted()).isEqualTo(before);
    ok(here.call("posix f u 0 0"));
    ok(here.call("close f"));
    assertThat(cluster.log.submitted()).isEqualTo(before + 1);
  }
}
