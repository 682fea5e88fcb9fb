package org.trefoilfs.mount.fuse.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.trefoilfs.mount.vfs.AttributeRequest;
import org.trefoilfs.mount.vfs.Caller;
import org.trefoilfs.mount.vfs.TimeSetting;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

class RequestFrameTest {
  @Test
  void headerAndBodyAreReadInOrder() {
    RequestFrame frame = frame(new Frames().u64(7).u32(9).name("a").name("").request(12, 3, 4));
    assertThat(frame.opcode()).isEqualTo(12);
    assertThat(frame.unique()).isEqualTo(3);
    assertThat(frame.node()).isEqualTo(4);
    assertThat(frame.caller()).isEqualTo(new Caller(10, 20));
    assertThat(frame.u64()).isEqualTo(7);
    assertThat(frame.u32()).isEqualTo(9);
    assertThat(frame.name()).isEqualTo(new byte[] {'a'});
    assertThat(frame.name()).isEmpty();
    assertInvalid(frame::name);
  }

  @Test
  void dataIsTheReadMemoryItselfAndACopyIsNot() {
    byte[] request = new Frames().bytes(new byte[] {1, 2, 3}).request(16, 1, 1);
    RequestFrame frame = frame(request);
    RequestFrame copy = frame.copy();
    request[RequestFrame.HEADER] = 9;
    assertThat(frame.data(3)).isEqualTo(ByteBuffer.wrap(new byte[] {9, 2, 3}));
    assertThat(copy.data(3)).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
  }

  @Test
  void noFrameIsShorterThanItsHeaderOrOfAnotherLengthThanItSays() {
    byte[] request = new Frames().name("name").request(1, 1, 1);
    for (int length = 0; length < request.length; length++) {
      byte[] cut = Arrays.copyOf(request, length);
      assertInvalid(() -> frame(cut));
    }
    assertInvalid(() -> frame(Arrays.copyOf(request, request.length + 1)));
  }

  @Test
  void bodyThatEndsTooEarlyIsInvalid() {
    assertInvalid(() -> frame(new Frames().u32(1).request(15, 1, 1)).u64());
    assertInvalid(() -> frame(new Frames().request(15, 1, 1)).u32());
    assertInvalid(() -> frame(new Frames().u32(1).request(15, 1, 1)).skip(5));
    assertInvalid(() -> frame(new Frames().u32(1).request(16, 1, 1)).data(5));
    assertInvalid(() -> frame(new Frames().u32(1).request(16, 1, 1)).data(-1));
    assertInvalid(() -> frame(new Frames().u32(1).request(21, 1, 1)).bytes(Integer.MAX_VALUE));
    assertInvalid(() -> frame(new Frames().bytes(new byte[] {'a'}).request(1, 1, 1)).name());
  }

  @Test
  void setattrTakesWhatIsValidAndNothingElse() {
    AttributeRequest some = setattr(1 | 8 | 32, 0100644, 5, -2);
    assertThat(some.mode()).isEqualTo(OptionalInt.of(0100644));
    assertThat(some.size()).isEqualTo(OptionalLong.of(5));
    assertThat(some.uid()).isEmpty();
    assertThat(some.gid()).isEmpty();
    assertThat(some.times().access()).isEqualTo(TimeSetting.KEEP);
    assertThat(some.times().modification()).isEqualTo(new TimeSetting.At(-1_999_999_993L));

    AttributeRequest others = setattr(2 | 4 | 16 | 32 | 256, 0, 0, 0);
    assertThat(others.uid()).isEqualTo(OptionalInt.of(11));
    assertThat(others.gid()).isEqualTo(OptionalInt.of(12));
    assertThat(others.times().access()).isEqualTo(new TimeSetting.At(1_000_000_006L));
    assertThat(others.times().modification()).isEqualTo(TimeSetting.NOW);
    assertThat(others.size()).isEmpty();
  }

  private static AttributeRequest setattr(int valid, int mode, long size, long mtime) {
    Frames body = new Frames().u32(valid, 0).u64(99, size, 99, 1, mtime, 99);
    body.u32(6, 7, 99).u32(mode, 99, 11, 12, 99);
    return AttributesIn.read(frame(body.request(4, 1, 1)));
  }

  @Test
  void handshakeAgreesOnTheOlderVersionAndOnWhatBothCan() {
    Handshake handshake = Handshake.of(frame(Frames.init(7, 45)), false);
    assertThat(handshake.minor()).isEqualTo(36);
    ByteBuffer out = handshake.reply(64, 48).order(java.nio.ByteOrder.nativeOrder());
    assertThat(out.remaining()).isEqualTo(64);
    assertThat(out.getInt(0)).isEqualTo(7);
    assertThat(out.getInt(8)).isEqualTo(131072);
    // ASYNC_READ, POSIX_LOCKS, BIG_WRITES, FLOCK_LOCKS, AUTO_INVAL_DATA, PARALLEL_DIROPS,
    // MAX_PAGES,
    // INIT_EXT
    assertThat(out.getInt(12))
        .isEqualTo(1 | 1 << 1 | 1 << 5 | 1 << 10 | 1 << 12 | 1 << 18 | 1 << 22 | 1 << 30);
    assertThat(out.getShort(16)).isEqualTo((short) 64);
    assertThat(out.getInt(20)).isEqualTo(1 << 20);
    assertThat(out.getShort(28)).isEqualTo((short) 256);
    assertThat(Handshake.of(frame(Frames.init(7, 31)), false).minor()).isEqualTo(31);
    assertThatThrownBy(() -> Handshake.of(frame(Frames.init(7, 27)), false))
        .hasMessageContaining("--transport libfuse");
  }

  private static RequestFrame frame(byte[] bytes) {
    return RequestFrame.of(ByteBuffer.wrap(bytes));
  }

  private static void assertInvalid(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID));
  }

  /** What is written is kept by the groups after the answer, when the memory is read into again. */
  @Test
  void dataOutliveTheMemoryThatTheRequestWasReadInto() {
    byte[] read = new Frames().u64(11).request(16, 1, 1);
    ByteBuffer memory = ByteBuffer.allocateDirect(read.length).put(read).flip();
    ByteBuffer data = RequestFrame.of(memory).data(8);
    RequestFrame handedOver = RequestFrame.of(memory).copy();
    for (int i = 0; i < read.length; i++) {
      memory.put(i, (byte) 0x55);
    }
    ByteBuffer eleven = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(0, 11);
    assertThat(data).isEqualTo(eleven);
    assertThat(handedOver.data(8)).isEqualTo(eleven);
  }
}
