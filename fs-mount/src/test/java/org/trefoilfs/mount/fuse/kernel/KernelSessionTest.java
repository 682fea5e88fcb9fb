package org.trefoilfs.mount.fuse.kernel;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
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
            ReplyEncoder.directIo(answers.nodes()),
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
    device.request(lookup);
    assertThat(device.answer()).isEqualTo(error(5, Errno.ENOENT));
    end();
  }

  private static boolean takesArguments(Opcode opcode) {
    return switch (opcode) {
      case GETATTR, READLINK, STATFS, OPEN, OPENDIR, FSYNCDIR -> false;
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
