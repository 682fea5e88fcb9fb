package org.trefoilfs.replication.journal;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32C;
import org.trefoilfs.replication.chunk.ChunkId;

/**
 * The header in front of each record's payload, and its checksum. Big-endian; the next header
 * starts at a multiple of {@link #ALIGN}.
 *
 * <pre>
 *  0        4        8                 16                24
 *  +--------+--------+-----------------+-----------------+-----------------+---------+
 *  | length | CRC32C | generation      | stable          | payload         | 0 .. 7  |
 *  | of the | of all | of the segment: | position known  | type (u8), pg   | zeros   |
 *  | payload| others | another at each | to be on stable | (i32), fields   |         |
 *  |        |        | use of the file | storage by then |                 |         |
 *  +--------+--------+-----------------+-----------------+-----------------+---------+
 * </pre>
 *
 * The checksum runs over the payload first, so that it is computed before the journal is locked;
 * then over length, generation and stable.
 */
record RecordFrame(int length, int crc, long generation, long stable) {
  static final int BYTES = 24;
  static final int ALIGN = 8;

  /** A whole chunk in as many extents as it can have, and then some: no longer record is real. */
  static final int MAX_PAYLOAD = 2 * ChunkId.SIZE;

  static CRC32C checksum(List<ByteBuffer> payload) {
    CRC32C crc = new CRC32C();
    payload.forEach(part -> crc.update(part.duplicate()));
    return crc;
  }

  /** {@code payloadCrc} is spent by this. */
  static RecordFrame seal(int length, CRC32C payloadCrc, long generation, long stable) {
    return new RecordFrame(
        length, finish(payloadCrc, length, generation, stable), generation, stable);
  }

  static RecordFrame readFrom(ByteBuffer in) {
    return new RecordFrame(in.getInt(), in.getInt(), in.getLong(), in.getLong());
  }

  ByteBuffer encode() {
    ByteBuffer out = ByteBuffer.allocate(BYTES);
    return out.putInt(length).putInt(crc).putLong(generation).putLong(stable).flip();
  }

  boolean isPlausible(long expectedGeneration) {
    return generation == expectedGeneration && length > 0 && length <= MAX_PAYLOAD;
  }

  boolean matches(ByteBuffer payload) {
    return crc == finish(checksum(List.of(payload)), length, generation, stable);
  }

  /** Bytes of the record with header and padding. */
  static long padded(long payload) {
    return (BYTES + payload + ALIGN - 1) & -ALIGN;
  }

  private static int finish(CRC32C payloadCrc, int length, long generation, long stable) {
    payloadCrc.update(
        ByteBuffer.allocate(20).putInt(length).putLong(generation).putLong(stable).flip());
    return (int) payloadCrc.getValue();
  }
}
