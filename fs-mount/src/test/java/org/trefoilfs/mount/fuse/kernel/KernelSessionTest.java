package org.trefoilfs.mount.fuse.kernel;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.kernel.ScriptedDevice.Answer;
import org.trefoilfs.mount.namespace.ResentRequests;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.env.SystemTime;

/** A session over hand-built frames, without a kernel. */
class KernelSessionTest {
  private static final int CREATE = 35;
  private static final int MKDIR = 9;
  private static final int WRITE = 16;
  private static final int READ = 15;
  private static final int SETLK = 32;
  private static final int SETLKW = 33;
  private static final int WRITE_LOCK = 1;
  private static final int UNLOCK = 2;

  private final TestCluster cluster = new TestCluster("kernel");
  private final Vfs vfs = cluster.vfs();
  private final ScriptedDevice device = new ScriptedDevice();
  private final KernelSession session = session();

  private KernelSession session() {
    Answers answers = new Answers(vfs, MountOptions.defaults("trefoil:test"));
    CallStatistics statistics = new CallStatistics();
    Dispatcher dispatcher =
        new Dispatcher(
            device,
            answers,
            new ReplyEncoder(answers),
            new Calls(SystemTime.INSTANCE, statistics),
            new ResentRequests());
    return new KernelSession(Path.of("/nowhere"), statistics, device, dispatcher);
  }

  @AfterEach
  void close() {
    cluster.close();
  }

  private void start() throws Exception {
    device.request(Frames.init(7, 45));
    session.start(2);
    assertThat(device.answer().body().getInt(4)).isEqualTo(36);
  }

  private void end() throws Exception {
    device.fail(Errno.ENODEV);
    assertThat(session.awaitExit(Duration.ofSeconds(10))).isTrue();
    assertThat(device.closing.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void malformedFramesAreRefusedAndTheSessionGoesOn() throws Exception {
    start();
    byte[] lookup = new Frames().name("name").request(1, 5, 1);
    device.request(Arrays.copyOf(lookup, 3));
    device.request(Arrays.copyOf(lookup, lookup.length - 1));
    device.request(new Frames().bytes("endless".getBytes(UTF_8)).request(1, 6, 1));
    assertThat(device.answer()).isEqualTo(error(6, Errno.EINVAL));
    for (Opcode opcode : Opcode.values()) {
      if (takesArguments(opcode)) {
        device.request(new Frames().request(opcode.number, 7, 1));
        assertThat(device.answer()).as("%s", opcode).isEqualTo(error(7, Errno.EINVAL));
      }
    }
    device.request(new Frames().request(17, 5, 1));
    assertThat(device.answer().error()).isZero();
    end();
  }

  private static boolean takesArguments(Opcode opcode) {
    return switch (opcode) {
      case GETATTR, READLINK, STATFS, OPENDIR, FSYNCDIR -> false;
      default -> true;
    };
  }

  @Test
  void requestsThatAreUnknownInterruptedOrForgottenAreLeft() throws Exception {
    start();
    device.request(new Frames().u64(1).request(2, 0, 1));
    device.request(new Frames().u32(0, 0).request(42, 0, 0));
    device.request(new Frames().u64(4).request(36, 5, 0));
    device.fail(Errno.EINTR);
    device.fail(Errno.ENOENT);
    device.request(new Frames().request(4711, 8, 1));
    assertThat(device.answer()).isEqualTo(error(8, Errno.ENOSYS));
    assertThat(device.hasAnswers()).isFalse();
    end();
  }

  @Test
  void writesThatComeOneAfterTheOtherKeepTheirBytes() throws Exception {
    start();
    long handle = create("f");
    for (int i = 0; i < 200; i++) {
      write(handle, i, (byte) i);
    }
    for (int i = 0; i < 200; i++) {
      assertThat(device.answer().error()).isZero();
    }
    for (int i = 0; i < 200; i++) {
      device.request(new Frames().u64(handle, (long) i << 16).u32(1 << 16, 0).request(READ, i, 1));
      byte[] expected = new byte[1 << 16];
      Arrays.fill(expected, (byte) i);
      assertThat(device.answer().body()).as("block %d", i).isEqualTo(ByteBuffer.wrap(expected));
    }
    end();
  }

  @Test
  void callThatWaitsHoldsUpNoOtherAndIsAnsweredAfterTheMountIsGone() throws Exception {
    start();
    cluster.log.shut();
    for (int i = 0; i < 40; i++) {
      device.request(new Frames().u32(0755, 0).name("d" + i).request(MKDIR, i, 1));
    }
    device.request(new Frames().request(17, 99, 1));
    assertThat(device.answer().unique()).isEqualTo(99);
    device.fail(Errno.ENODEV);
    assertThat(session.awaitExit(Duration.ofSeconds(10))).isTrue();
    assertThat(device.closing.getCount()).isEqualTo(1);
    cluster.log.open();
    for (int i = 0; i < 40; i++) {
      assertThat(device.answer().error()).isZero();
    }
    assertThat(device.closing.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void requestsThatWaitForALockHoldUpNoOtherAndAreAnsweredInTurn() throws Exception {
    start();
    long handle = create("f");
    setlk(SETLKW, 100, handle, WRITE_LOCK);
    assertThat(device.answer()).isEqualTo(error(100, 0));
    for (int i = 1; i <= 40; i++) {
      int waiting = i;
      setlk(SETLKW, 100 + i, handle, WRITE_LOCK);
      await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(5))
          .until(() -> cluster.lockWaits() == waiting);
    }
    device.request(new Frames().request(17, 99, 1));
    assertThat(device.answer().unique()).isEqualTo(99);
    for (int i = 100; i < 140; i++) {
      device.request(lockFrame(handle, i, UNLOCK).request(SETLK, 1000 + i, 1));
      assertThat(List.of(device.answer().unique(), device.answer().unique()))
          .containsExactlyInAnyOrder(1000L + i, i + 1L);
    }
    end();
  }

  @Test
  void interruptCountsEvenIfItComesBeforeItsRequest() throws Exception {
    start();
    long handle = create("f");
    setlk(SETLK, 100, handle, WRITE_LOCK);
    assertThat(device.answer()).isEqualTo(error(100, 0));
    setlk(SETLKW, 102, handle, WRITE_LOCK);
    interrupt(102);
    assertThat(device.answer()).isEqualTo(error(102, Errno.EINTR));
    interrupt(104);
    device.request(new Frames().request(17, 99, 1));
    assertThat(device.answer().unique()).isEqualTo(99);
    setlk(SETLKW, 104, handle, WRITE_LOCK);
    assertThat(device.answer()).isEqualTo(error(104, Errno.EINTR));
    assertThat(cluster.lockWaits()).isZero();
    end();
  }

  @Test
  void lockWhoseCallerIsGoneIsLetGo() throws Exception {
    start();
    long handle = create("f");
    device.leave(100);
    setlk(SETLK, 100, handle, WRITE_LOCK);
    assertThat(device.answer()).isEqualTo(error(100, 0));
    await().until(() -> cluster.lockedFiles() == 0);
    setlk(SETLK, 102, handle, WRITE_LOCK);
    assertThat(device.answer()).isEqualTo(error(102, 0));
    end();
  }

  @Test
  void whoWaitsForALockIsAnsweredWhenTheMountIsGone() throws Exception {
    start();
    long handle = create("f");
    setlk(SETLK, 100, handle, WRITE_LOCK);
    assertThat(device.answer()).isEqualTo(error(100, 0));
    setlk(SETLKW, 102, handle, WRITE_LOCK);
    await().until(() -> cluster.lockWaits() == 1);
    device.fail(Errno.ENODEV);
    assertThat(device.answer()).isEqualTo(error(102, Errno.EINTR));
    assertThat(device.closing.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(cluster.lockWaits()).isZero();
  }

  private void interrupt(long unique) {
    device.request(new Frames().u64(unique).request(36, unique + 1, 0));
  }

  /** As the owner of the number of the request. */
  private void setlk(int opcode, int unique, long handle, int type) {
    device.request(lockFrame(handle, unique, type).request(opcode, unique, 1));
  }

  private static Frames lockFrame(long handle, long owner, int type) {
    return new Frames().u64(handle, owner, 0, Long.MAX_VALUE).u32(type, 30, 0, 0);
  }

  @Test
  void kernelThatIsTooOldIsRefusedAndTheDeviceClosed() {
    device.request(Frames.init(7, 19));
    assertThatThrownBy(() -> session.start(2)).hasMessageContaining("--transport libfuse");
    assertThat(device.closing.getCount()).isZero();
  }

  private long create(String name) throws InterruptedException {
    device.request(new Frames().u32(2, 0100644, 0, 0).name(name).request(CREATE, 2, 1));
    Answer created = device.answer();
    assertThat(created.error()).isZero();
    return created.body().getLong(128);
  }

  private void write(long handle, int block, byte value) {
    byte[] data = new byte[1 << 16];
    Arrays.fill(data, value);
    Frames body = new Frames().u64(handle, (long) block << 16).u32(data.length, 0).u64(0);
    device.request(body.u32(0, 0).bytes(data).request(WRITE, block, 1));
  }

  private static Answer error(long unique, int errno) {
    return new Answer(unique, errno, ByteBuffer.allocate(0));
  }
}
