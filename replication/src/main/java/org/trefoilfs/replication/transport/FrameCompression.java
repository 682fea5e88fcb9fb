package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** LZ4 for the payloads of large frames. Thread-safe. */
public final class FrameCompression {
  /** Smaller payloads gain too little to look at. */
  public static final int PAYLOAD_MIN = 16 << 10;

  /** What is tried first: most data that does not compress is recognized by its first 4 KiB. */
  private static final int PROBE_BYTES = 4 << 10;

  /** Compressed is worth sending at up to 90 % of the original. */
  private static final int WORTH_PERCENT = 90;

  private static final LZ4Compressor COMPRESSOR = LZ4Factory.fastestInstance().fastCompressor();
  private static final LZ4SafeDecompressor DECOMPRESSOR =
      LZ4Factory.fastestInstance().safeDecompressor();

  private FrameCompression() {}

  /** Bytes that {@link #isPromising} needs. */
  public static int probeRoom() {
    return COMPRESSOR.maxCompressedLength(PROBE_BYTES);
  }

  /** Whether the start of a payload compresses; {@code scratch} holds {@link #probeRoom}. */
  public static boolean isPromising(ByteBuffer payload, ByteBuffer scratch) {
    if (payload.remaining() < PAYLOAD_MIN) {
      return false;
    }
    int from = payload.position();
    int probe = COMPRESSOR.compress(payload, from, PROBE_BYTES, scratch, 0, probeRoom());
    return probe <= worth(PROBE_BYTES);
  }

  /** Bytes that {@link #compress} needs for a payload. */
  public static int room(int payloadBytes) {
    return worth(payloadBytes);
  }

  /**
   * Compresses {@code payload} to the start of {@code out}, which holds {@link #room}.
   *
   * @return the compressed length; 0 when it is not worth it
   */
  public static int compress(ByteBuffer payload, ByteBuffer out) {
    int length = payload.remaining();
    try {
      return COMPRESSOR.compress(payload, payload.position(), length, out, 0, worth(length));
    } catch (LZ4Exception doesNotFit) {
      return 0;
    }
  }

  /**
   * The original of a compressed payload.
   *
   * @param length of the original, within the receiver's limit
   * @throws TrefoilException INVALID
   */
  public static byte[] decompress(byte[] compressed, int length) {
    byte[] original = new byte[length];
    int decompressed;
    try {
      decompressed = DECOMPRESSOR.decompress(compressed, 0, compressed.length, original, 0, length);
    } catch (LZ4Exception e) {
      throw new TrefoilException(Reason.INVALID, "malformed frame: its LZ4 block is damaged", e);
    }
    if (decompressed != length) {
      throw new TrefoilException(
          Reason.INVALID,
          "malformed frame: it expands to " + decompressed + " bytes, not " + length);
    }
    return original;
  }

  private static int worth(int bytes) {
    return (int) ((long) bytes * WORTH_PERCENT / 100);
  }
}
