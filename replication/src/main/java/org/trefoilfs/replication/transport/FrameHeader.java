package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The head of a frame. Big-endian:
 *
 * <pre>
 *    0               1               2               3
 *   +---------------+---------------+---------------+---------------+
 *  0|  'T'              'F'             'O'             'L'          |
 *   +---------------+---------------+---------------+---------------+
 *  4|  protocol version             |  type         |  flags        |
 *   +---------------+---------------+---------------+---------------+
 *  8|                                                               |
 *   +  request id                                                   +
 * 12|                                                               |
 *   +---------------+---------------+---------------+---------------+
 * 16|  payload length, as sent                                      |
 *   +---------------+---------------+---------------+---------------+
 * 20|  payload length, uncompressed; 0 unless the LZ4 flag is set   |
 *   +---------------+---------------+---------------+---------------+
 * 24|  CRC32C of bytes 0 to 23 and the payload                      |
 *   +---------------+---------------+---------------+---------------+
 * 28|  payload ...
 *
 *  flags:  1 reply   2 one-way   4 payload is one LZ4 block
 * </pre>
 *
 * Magic and version keep their place in every version, so that peers of different versions can say
 * so. The first frame each way is a {@link Hello}. Request id 0 belongs to the connection itself: a
 * {@code Failed} that bears it is the last frame before the sender closes.
 *
 * @param type a {@link MessageType#code}, or one of the types of the connection itself
 */
public record FrameHeader(int type, int flags, long requestId, int length, int uncompressedLength) {
  public static final int MAGIC = 0x54464F4C;

  /** Changes with every change of a frame or message: hosts of one cluster speak one version. */
  public static final int PROTOCOL_VERSION = 1;

  /** Bytes before the payload. */
  public static final int BYTES = 28;

  /** Bytes whose meaning no version changes: magic and version. */
  public static final int START_BYTES = 6;

  public static final int CRC_OFFSET = 24;

  /**
   * The largest payload, of a frame and of what it expands to: a chunk (4 MiB) or a full map with
   * room to spare, and little enough to receive one per connection in memory.
   */
  public static final int PAYLOAD_MAX = 16 << 20;

  public static final int TYPE_HELLO = 0;
  public static final int TYPE_PING = 254;
  public static final int TYPE_PONG = 255;

  public static final int FLAG_REPLY = 1;
  public static final int FLAG_ONE_WAY = 2;
  public static final int FLAG_LZ4 = 4;
  private static final int FLAGS_ALL = FLAG_REPLY | FLAG_ONE_WAY | FLAG_LZ4;

  /** An LZ4 block expands to at most 255 times its length. */
  private static final int LZ4_RATIO_MAX = 255;

  public boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /**
   * Writes the header in front of a payload that lies at {@link #BYTES} and ends at the buffer's
   * limit, and the checksum over both.
   */
  public void seal(ByteBuffer frame) {
    frame
        .putInt(0, MAGIC)
        .putShort(4, (short) PROTOCOL_VERSION)
        .put(6, (byte) type)
        .put(7, (byte) flags)
        .putLong(8, requestId)
        .putInt(16, length)
        .putInt(20, uncompressedLength);
    frame.putInt(CRC_OFFSET, crc(frame, frame.slice(BYTES, length)));
  }

  /** Checksum of a frame from its header and payload. */
  public static int crc(ByteBuffer header, ByteBuffer payload) {
    CRC32C crc = new CRC32C();
    crc.update(header.slice(0, CRC_OFFSET));
    crc.update(payload.duplicate());
    return (int) crc.getValue();
  }

  /**
   * Judges the first {@link #START_BYTES} of a frame.
   *
   * @throws TrefoilException INVALID when this is not our protocol, REFUSED when it is another
   *     version of it
   */
  public static void checkStart(ByteBuffer start) {
    if (start.getInt(0) != MAGIC) {
      throw new TrefoilException(
          Reason.INVALID,
          "this port speaks the protocol of trefoil; what came in is something else");
    }
    int version = start.getShort(4) & 0xffff;
    if (version != PROTOCOL_VERSION) {
      throw new TrefoilException(
          Reason.REFUSED,
          "the peer speaks protocol version "
              + version
              + ", this side speaks version "
              + PROTOCOL_VERSION
              + "; run one release of trefoil on every host");
    }
  }

  /**
   * Reads a header whose start has been checked. Its lengths are within their limits.
   *
   * @param payloadMax the most that this receiver takes
   * @throws TrefoilException INVALID
   */
  public static FrameHeader readFrom(ByteBuffer bytes, int payloadMax) {
    FrameHeader header =
        new FrameHeader(
            bytes.get(6) & 0xff,
            bytes.get(7) & 0xff,
            bytes.getLong(8),
            bytes.getInt(16),
            bytes.getInt(20));
    header.check(payloadMax);
    return header;
  }

  private void check(int payloadMax) {
    if (length < 0 || length > payloadMax || uncompressedLength < 0) {
      throw invalid(
          "payload of " + Integer.toUnsignedString(length) + " bytes; at most " + payloadMax);
    }
    if ((flags & ~FLAGS_ALL) != 0) {
      throw invalid("unknown flags " + flags);
    }
    long expandedMax = has(FLAG_LZ4) ? Math.min(payloadMax, (long) length * LZ4_RATIO_MAX) : 0;
    if (uncompressedLength > expandedMax) {
      throw invalid(
          "payload that expands to " + uncompressedLength + " bytes; at most " + expandedMax);
    }
  }

  private static TrefoilException invalid(String what) {
    return new TrefoilException(Reason.INVALID, "malformed frame: " + what);
  }
}
