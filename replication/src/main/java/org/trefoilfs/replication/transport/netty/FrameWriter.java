package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.FrameCompression;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.MessageCodec;
import org.trefoilfs.replication.transport.MessageType;
import org.trefoilfs.replication.transport.Payload;

/**
 * Makes frames, ready for the socket. Runs on the thread that sends, so that copying, checksums and
 * compression are not the event loop's work.
 */
final class FrameWriter {
  private static final PooledByteBufAllocator ALLOCATOR = PooledByteBufAllocator.DEFAULT;
  private static final Payload EMPTY = new Payload(List.of(), 0);

  private FrameWriter() {}

  /** Whether a connection compresses large payloads. */
  enum Compress {
    YES,
    NO
  }

  /**
   * @throws TrefoilException TOO_LARGE
   */
  static ByteBuf message(Message message, long requestId, int flags, Compress compress) {
    Payload payload = MessageCodec.encode(message);
    if (payload.length() > FrameHeader.PAYLOAD_MAX) {
      throw new TrefoilException(
          Reason.TOO_LARGE,
          MessageType.of(message)
              + " of "
              + payload.length()
              + " bytes does not fit a frame of "
              + FrameHeader.PAYLOAD_MAX
              + "; send it in parts");
    }
    int type = MessageType.of(message).code();
    int length = (int) payload.length();
    ByteBuf plain = copy(payload, length);
    if (compress == Compress.YES && isPromising(plain, length)) {
      return compressed(plain, new FrameHeader(type, flags, requestId, length, 0));
    }
    return seal(plain, new FrameHeader(type, flags, requestId, length, 0));
  }

  static ByteBuf hello(Hello hello) {
    Payload payload = hello.encode();
    int length = (int) payload.length();
    return seal(copy(payload, length), new FrameHeader(FrameHeader.TYPE_HELLO, 0, 0, length, 0));
  }

  /** A frame of the connection itself, without payload. */
  static ByteBuf signal(int type) {
    return seal(copy(EMPTY, 0), new FrameHeader(type, 0, 0, 0, 0));
  }

  private static ByteBuf copy(Payload payload, int length) {
    ByteBuf frame = ALLOCATOR.directBuffer(FrameHeader.BYTES + length);
    frame.writerIndex(FrameHeader.BYTES);
    for (ByteBuffer part : payload.parts()) {
      frame.writeBytes(part.duplicate());
    }
    return frame;
  }

  private static boolean isPromising(ByteBuf plain, int length) {
    if (length < FrameCompression.PAYLOAD_MIN) {
      return false;
    }
    int room = FrameCompression.probeRoom();
    ByteBuf scratch = ALLOCATOR.directBuffer(room);
    try {
      return FrameCompression.isPromising(
          plain.nioBuffer(FrameHeader.BYTES, length), scratch.nioBuffer(0, room));
    } finally {
      scratch.release();
    }
  }

  private static ByteBuf compressed(ByteBuf plain, FrameHeader header) {
    int room = FrameCompression.room(header.length());
    ByteBuf packed = ALLOCATOR.directBuffer(FrameHeader.BYTES + room);
    int length =
        FrameCompression.compress(
            plain.nioBuffer(FrameHeader.BYTES, header.length()),
            packed.nioBuffer(FrameHeader.BYTES, room));
    if (length == 0) {
      packed.release();
      return seal(plain, header);
    }
    plain.release();
    packed.writerIndex(FrameHeader.BYTES + length);
    return seal(
        packed,
        new FrameHeader(
            header.type(),
            header.flags() | FrameHeader.FLAG_LZ4,
            header.requestId(),
            length,
            header.length()));
  }

  private static ByteBuf seal(ByteBuf frame, FrameHeader header) {
    header.seal(frame.nioBuffer(0, frame.writerIndex()));
    return frame;
  }
}
