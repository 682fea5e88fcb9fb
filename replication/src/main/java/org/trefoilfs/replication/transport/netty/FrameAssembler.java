package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.FrameCompression;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;

/**
 * Cuts what arrives on a connection into frames. Each payload is copied once, from the socket's
 * buffer to an array of its own, so that messages may be kept as long as one likes. That array is
 * made once the gate lets the frame pass; until then what has arrived stays in the socket's
 * buffers. Used by one thread.
 */
final class FrameAssembler {
  private static final byte[] NOTHING = new byte[0];

  private final ByteBuffer head = ByteBuffer.allocate(FrameHeader.BYTES);
  private final Consumer<Frame> sink;
  private final Function<FrameHeader, Verdict> gate;
  private final Queue<ByteBuf> waiting = new ArrayDeque<>();
  private @Nullable FrameHeader header;
  private byte[] payload = NOTHING;
  private int filled;
  private int payloadMax = Hello.PAYLOAD_MAX;
  private Verdict verdict = Verdict.READ;
  private boolean stopped;

  /** What becomes of a frame whose header has been read. */
  enum Verdict {
    READ,
    /** Until {@link #resume}. */
    WAIT,
    /** Its payload is thrown away. */
    SKIP
  }

  FrameAssembler(Consumer<Frame> sink) {
    this(sink, _ -> Verdict.READ);
  }

  /**
   * @param gate asked before a payload is read
   */
  FrameAssembler(Consumer<Frame> sink, Function<FrameHeader, Verdict> gate) {
    this.sink = sink;
    this.gate = gate;
  }

  /** The peer has introduced itself: from now on it may send large frames. */
  void trust() {
    payloadMax = FrameHeader.PAYLOAD_MAX;
  }

  /** Everything that still comes is thrown away. */
  void stop() {
    stopped = true;
    payload = NOTHING;
    waiting.forEach(ByteBuf::release);
    waiting.clear();
  }

  /** Whether a payload has begun, and not ended. */
  boolean isMidway() {
    return header != null && verdict != Verdict.WAIT;
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
    if (!stopped && verdict == Verdict.WAIT && in.isReadable()) {
      waiting.add(in.readRetainedSlice(in.readableBytes()));
    } else {
      in.skipBytes(in.readableBytes());
    }
  }

  /**
   * The frame that waits is to be read now, and what has arrived behind it.
   *
   * @throws TrefoilException as {@link #feed}
   */
  void resume() {
    FrameHeader held = header;
    if (stopped || held == null || verdict != Verdict.WAIT) {
      return;
    }
    begin(held, Verdict.READ);
    while (!waiting.isEmpty()) {
      ByteBuf next = waiting.element();
      while (!stopped && advance(next)) {
        // as above
      }
      if (stopped || verdict == Verdict.WAIT) {
        return; // the rest stays in front of what came later
      }
      waiting.remove().release();
    }
  }

  private boolean advance(ByteBuf in) {
    FrameHeader current = header;
    if (current == null) {
      return takeHeader(in);
    }
    return switch (verdict) {
      case READ -> takePayload(current, in);
      case SKIP -> skipPayload(current, in);
      case WAIT -> false;
    };
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
    header = read;
    begin(read, gate.apply(read));
    return true;
  }

  private void begin(FrameHeader of, Verdict decided) {
    verdict = decided;
    filled = 0;
    payload = of.length() == 0 || decided != Verdict.READ ? NOTHING : new byte[of.length()];
  }

  private boolean skipPayload(FrameHeader current, ByteBuf in) {
    int length = Math.min(current.length() - filled, in.readableBytes());
    in.skipBytes(length);
    filled += length;
    if (filled < current.length()) {
      return false;
    }
    end();
    return true;
  }

  private void end() {
    header = null;
    head.clear();
    payload = NOTHING;
  }

  private boolean takePayload(FrameHeader current, ByteBuf in) {
    int length = Math.min(payload.length - filled, in.readableBytes());
    in.readBytes(payload, filled, length);
    filled += length;
    if (filled < payload.length) {
      return false;
    }
    Frame frame = new Frame(current, content(current));
    end();
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
