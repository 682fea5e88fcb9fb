package org.trefoilfs.replication.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.OperationId;

class MessageCodecTest {
  private final long seed = Long.getLong("seed", System.nanoTime());

  @ParameterizedTest
  @EnumSource
  void everyTypeComesBackAsItWas(MessageType type) {
    RandomMessages messages = new RandomMessages(seed, 5000);
    for (int i = 0; i < 50; i++) {
      Message message = messages.next(type);
      Message back = MessageCodec.decode(type.code(), RandomMessages.payloadOf(message));
      assertThat(back).hasSameClassAs(message);
      assertThat(RandomMessages.bytesOf(back))
          .as("seed " + seed)
          .isEqualTo(RandomMessages.bytesOf(message));
    }
  }

  @ParameterizedTest
  @EnumSource
  void truncatedOrProlongedIsInvalid(MessageType type) {
    RandomMessages messages = new RandomMessages(seed, 40);
    for (int i = 0; i < 10; i++) {
      byte[] all = RandomMessages.bytesOf(messages.next(type));
      for (int length = 0; length < all.length - 1; length++) {
        assertInvalid(type, Arrays.copyOfRange(all, 1, 1 + length));
      }
      assertInvalid(type, Arrays.copyOfRange(all, 1, all.length + 1));
    }
  }

  @ParameterizedTest
  @EnumSource
  void damagedIsDecodedOrInvalidAndNothingElse(MessageType type) {
    RandomMessages messages = new RandomMessages(seed, 200);
    Random random = new Random(seed);
    for (int i = 0; i < 300; i++) {
      byte[] payload = RandomMessages.payloadOf(messages.next(type)).slice().array();
      for (int flips = 1 + random.nextInt(8); flips > 0 && payload.length > 1; flips--) {
        payload[1 + random.nextInt(payload.length - 1)] = (byte) random.nextInt();
      }
      try {
        MessageCodec.decode(type.code(), ByteBuffer.wrap(payload, 1, payload.length - 1));
      } catch (TrefoilException e) {
        assertThat(e.reason()).as("seed " + seed).isEqualTo(Reason.INVALID);
      }
    }
  }

  @Test
  void aCountThatTheBytesDoNotBackIsInvalidBeforeAnythingIsAllocated() {
    for (int count : new int[] {Integer.MAX_VALUE, -1, 1 << 24, 1}) {
      assertInvalid(MessageType.ASK_GROUPS, new ByteWriter().i32(count).toBytes());
      assertInvalid(MessageType.FLUSH, new ByteWriter().i32(count).toBytes());
      assertInvalid(MessageType.DATA, new ByteWriter().i32(count).toBytes());
      assertInvalid(
          MessageType.HEARTBEAT_REPLY, new ByteWriter().u8(1).i64(1).i32(count).toBytes());
    }
  }

  @Test
  void moreElementsThanTheLimitAreRefusedOnBothSides() {
    int tooMany = MessageCodec.ELEMENTS_MAX + 1;
    List<Integer> groups = Collections.nCopies(tooMany, 7);
    assertThatThrownBy(() -> MessageCodec.encode(new Message.AskGroups(groups)))
        .satisfies(e -> assertThat(TrefoilException.of(e).reason()).isEqualTo(Reason.TOO_LARGE));
    ByteWriter out = new ByteWriter().i32(tooMany);
    groups.forEach(out::i32);
    assertInvalid(MessageType.ASK_GROUPS, out.toBytes());
  }

  @Test
  void aKeyThatAppearsTwiceIsInvalid() {
    assertInvalid(MessageType.FLUSH, new ByteWriter().i32(2).i32(9).i64(1).i32(9).i64(2).toBytes());
  }

  @Test
  void anUnknownTypeIsInvalid() {
    for (int code : new int[] {0, 99, 255}) {
      assertThatThrownBy(() -> MessageCodec.decode(code, ByteBuffer.allocate(0)))
          .hasMessageContaining("unknown message type " + code);
    }
  }

  @Test
  void largeDataIsNotCopiedByEitherSideOfTheCodec() {
    ByteBuffer data = ByteBuffer.allocate(128 << 10);
    Message.Prepare prepare =
        new Message.Prepare(
            1, 2, 3, 4, new OperationId(5, 6), new Mutation.Write(new ChunkId(7, 8), 0, data));
    assertThat(MessageCodec.encode(prepare).parts())
        .anyMatch(part -> part.hasArray() && part.array() == data.array());

    ByteBuffer received = RandomMessages.payloadOf(prepare);
    Message.Prepare back =
        (Message.Prepare) MessageCodec.decode(MessageType.PREPARE.code(), received);
    ByteBuffer view = ((Mutation.Write) back.mutation()).data();
    assertThat(view.array()).isSameAs(received.array());
  }

  private static void assertInvalid(MessageType type, byte[] payload) {
    assertThatThrownBy(() -> MessageCodec.decode(type.code(), ByteBuffer.wrap(payload)))
        .isInstanceOf(TrefoilException.class)
        .satisfies(e -> assertThat(TrefoilException.of(e).reason()).isEqualTo(Reason.INVALID));
  }
}
