package org.trefoilfs.replication.transport.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.transport.Message;

/** Frames that wait. */
final class FrameAssemblerTest {
  private final List<Long> received = new ArrayList<>();
  private final FrameAssembler assembler =
      new FrameAssembler(
          frame -> received.add(frame.header().requestId()), _ -> FrameAssembler.Verdict.WAIT);

  private ByteBuf feed(int from, int to) {
    ByteBuf bytes = Unpooled.buffer();
    for (int i = from; i <= to; i++) {
      bytes.writeBytes(RawPeer.request(new Message.Written(1, i), i));
    }
    assembler.feed(bytes);
    bytes.release();
    return bytes;
  }

  @Test
  void framesThatWaitOneAfterTheOtherKeepTheirOrder() {
    List<ByteBuf> fed = List.of(feed(1, 3), feed(4, 5), feed(6, 6));
    for (long i = 1; i <= 6; i++) {
      assertThat(received).hasSize((int) i - 1);
      assembler.resume();
    }
    assertThat(received).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    assertThat(fed).allMatch(bytes -> bytes.refCnt() == 0);
    assembler.resume(); // nothing waits
    assertThat(received).hasSize(6);
  }

  @Test
  void whatWaitsWhenTheConnectionEndsIsGivenBack() {
    List<ByteBuf> fed = List.of(feed(1, 3), feed(4, 5));
    assembler.resume();
    assembler.stop();
    assertThat(fed).allMatch(bytes -> bytes.refCnt() == 0);
    assembler.resume();
    assertThat(received).containsExactly(1L);
  }
}
