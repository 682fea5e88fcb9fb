package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.FrameCompression;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;

/**
 * Cuts what arrives on a connection into frames. Each payload is copied once, from the socket's
 * buffer to an array of its own, so that messages may be kept as long as one likes. Used by one
 * thread.
 */
final class FrameAssembler {
  private static final byte[] NOTHING = new byte[0];

  private final ByteBuffer head = ByteBuffer.allocate(FrameHeader.BYTES);
  private final Consumer<Frame> sink;
  private @Nullable FrameHeader header;
  private byte[] payload = NOTHING;
  private int filled;
  private int payloadMax = Hello.PAYLOAD_MAX;
  private boolean stopped;

  FrameAssembler(Consumer<Frame> sink) {
    this.sink = sink;
  }

  /** The peer has introduced itself: from now on it may send large frames. */
  void trust() {
    payloadMax = FrameHeader.PAYLOAD_MAX;
  }

  /** Everything that still comes is thrown away. */
  void stop() {
    stopped = true;
    payload = NOTHING;
  }

  /**
   * Takes all of {@code in}, and gives every frame that became complete to the sink.
   *
   * @throws TrefoilException what arrived is no frame of this protocol: INVALID, or REFUSED for one
   *     of another version. Nothing after it can be understood.
   */
  void feed(ByteBuf in) {
    while (!stopped && advance(in)) {
      // each step takes a header or a payload
    }
    in.skipBytes(in.readableBytes());
  }

  private boolean advance(ByteBuf in) {
    FrameHeader current = header;
    return current == null ? takeHeader(in) : takePayload(current, in);
  }

  private boolean takeHeader(ByteBuf in) {
    int before = head.position();
    int length = Math.min(head.remaining(), in.readableBytes());
    in.readBytes(head.array(), before, length);
    head.position(before + length);
    if (before < FrameHeader.START_BYTES && head.position() >= FrameHeader.START_BYTES) {
      FrameHeader.checkStart(head);
    }
    if (head.hasRemaining()) {
      return false;
    }
    FrameHeader read = FrameHeader.readFrom(head, payloadMax);
    payload = read.length() == 0 ? NOTHING : new byte[read.length()];
    filled = 0;
    header = read;
    return true;
  }

  private boolean takePayload(FrameHeader current, ByteBuf in) {
    int length = Math.min(payload.length - filled, in.readableBytes());
    in.readBytes(payload, filled, length);
    filled += length;
    if (filled < payload.length) {
      return false;
    }
    Frame frame = new Frame(current, content(current));
    header = null;
    head.clear();
    payload = NOTHING;
    sink.accept(frame);
    return true;
  }

  private ByteBuffer content(FrameHeader current) {
    if (FrameHeader.crc(head, ByteBuffer.wrap(payload)) != head.getInt(FrameHeader.CRC_OFFSET)) {
      throw new TrefoilException(
          Reason.INVALID,
          "malformed frame: its checksum is wrong; the network or a host's memory damages data");
    }
    return ByteBuffer.wrap(
        current.has(FrameHeader.FLAG_LZ4)
            ? FrameCompression.decompress(payload, current.uncompressedLength())
            : payload);
  }
}
