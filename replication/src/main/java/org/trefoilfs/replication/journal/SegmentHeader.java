package org.trefoilfs.replication.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The first bytes of a segment's file. They alone say which segment it is; the name of the file
 * does not, so recycling needs neither a rename nor an fsync of the directory.
 *
 * <pre>
 *  0          8        12       16         24           32          40         48       64
 *  +----------+--------+--------+----------+------------+-----------+----------+--------+
 *  | TREFJRNL | format | CRC32C | sequence | generation | base      | stable   | zeros  |
 *  +----------+--------+--------+----------+------------+-----------+----------+--------+
 * </pre>
 *
 * @param sequence order of the segments; grows by at least one
 * @param generation half random, half the sequence's; in every record of this use of the file
 * @param base position of the first record, which is where the segment before it ends
 * @param stable position known to be on stable storage when the segment was begun
 */
record SegmentHeader(long sequence, long generation, long base, long stable) {
  static final int BYTES = 64;
  private static final long MAGIC = 0x545245464A524E4CL;
  private static final int FORMAT = 1;
  private static final int FIELDS_AT = 16;

  ByteBuffer encode() {
    ByteBuffer out = ByteBuffer.allocate(BYTES);
    out.putLong(MAGIC).putInt(FORMAT).putInt(0);
    out.putLong(sequence).putLong(generation).putLong(base).putLong(stable);
    return out.putInt(12, checksum(out)).clear();
  }

  /** Null when the bytes are no header of this format. */
  static @Nullable SegmentHeader decode(ByteBuffer in) {
    if (in.remaining() < BYTES || in.getLong(0) != MAGIC || in.getInt(8) != FORMAT) {
      return null;
    }
    if (in.getInt(12) != checksum(in)) {
      return null;
    }
    return new SegmentHeader(
        in.getLong(FIELDS_AT),
        in.getLong(FIELDS_AT + 8),
        in.getLong(FIELDS_AT + 16),
        in.getLong(FIELDS_AT + 24));
  }

  private static int checksum(ByteBuffer header) {
    CRC32C crc = new CRC32C();
    crc.update(header.slice(0, 12));
    crc.update(header.slice(FIELDS_AT, BYTES - FIELDS_AT));
    return (int) crc.getValue();
  }
}
