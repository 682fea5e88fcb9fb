package org.trefoilfs.replication.chunk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;
import org.trefoilfs.replication.placement.Pools;

/**
 * What follows the data in a chunk's file: its table of checksums and its header. Big-endian. The
 * two lie side by side so that one pwrite changes both.
 *
 * <pre>
 *  0                     4 MiB                  + 4 KiB                       + 64 bytes
 *  +---------------------+----------------------+-----------------------------+
 *  | data: 1024 blocks   | table: 1024 x CRC32C | header                      |
 *  | of 4 KiB, holes     | (i32), 0 for a hole  |                             |
 *  | where never written | or a block of zeros  |                             |
 *  +---------------------+----------------------+-----------------------------+
 *
 *  header:
 *  0          8        12       16      24      28   32     40   48        64
 *  +----------+--------+--------+-------+-------+----+------+----+---------+
 *  | TREFCHNK | format | CRC32C | inode | index | 0  | view | n  | zeros   |
 *  +----------+--------+--------+-------+-------+----+------+----+---------+
 * </pre>
 *
 * The header's checksum runs over the table and the rest of the header: a table that is damaged is
 * never believed.
 */
final class ChunkMeta {
  /** Where it lies in the file. */
  static final int OFFSET = ChunkId.SIZE;

  static final int TABLE_BYTES = Blocks.COUNT * Integer.BYTES;
  static final int HEADER_BYTES = 64;
  static final int BYTES = TABLE_BYTES + HEADER_BYTES;
  private static final long MAGIC = 0x5452454643484E4BL;
  private static final int FORMAT = 1;
  private static final int CRC_AT = TABLE_BYTES + 12;

  private final ByteBuffer bytes = ByteBuffer.allocate(BYTES);
  private int dirtyFrom = BYTES;

  private ChunkMeta() {}

  /** Of a chunk without data. */
  static ChunkMeta empty(ChunkId id) {
    ChunkMeta meta = new ChunkMeta();
    meta.bytes.putLong(TABLE_BYTES, MAGIC).putInt(TABLE_BYTES + 8, FORMAT);
    meta.bytes.putLong(TABLE_BYTES + 16, id.inode()).putInt(TABLE_BYTES + 24, id.index());
    meta.dirtyFrom = 0;
    return meta;
  }

  /** What the file holds, valid or not. */
  static ChunkMeta read(FileChannel channel) throws IOException {
    ChunkMeta meta = new ChunkMeta();
    ByteBuffer into = meta.bytes.duplicate();
    for (long at = OFFSET; into.hasRemaining(); ) {
      int count = channel.read(into, at);
      if (count < 0) {
        break;
      }
      at += count;
    }
    return meta;
  }

  boolean isValid(ChunkId id) {
    return bytes.getLong(TABLE_BYTES) == MAGIC
        && bytes.getInt(TABLE_BYTES + 8) == FORMAT
        && bytes.getInt(CRC_AT) == crc()
        && bytes.getLong(TABLE_BYTES + 16) == id.inode()
        && bytes.getInt(TABLE_BYTES + 24) == id.index();
  }

  /** As {@code CORRUPT} reports it. */
  String describeChecksum() {
    return "expected %08x, found %08x".formatted(bytes.getInt(CRC_AT), crc());
  }

  int checksum(int block) {
    return bytes.getInt(block * Integer.BYTES);
  }

  void setChecksum(int block, int checksum) {
    if (checksum(block) != checksum) {
      bytes.putInt(block * Integer.BYTES, checksum);
      dirtyFrom = Math.min(dirtyFrom, block * Integer.BYTES);
    }
  }

  Version version() {
    return new Version(bytes.getLong(TABLE_BYTES + 32), bytes.getLong(TABLE_BYTES + 40));
  }

  /** Writes what has changed, under the version. */
  void write(FileChannel channel, Version version) throws IOException {
    bytes.putLong(TABLE_BYTES + 32, version.view()).putLong(TABLE_BYTES + 40, version.n());
    bytes.putInt(CRC_AT, crc());
    int from = Math.min(dirtyFrom, TABLE_BYTES);
    ByteBuffer out = bytes.slice(from, BYTES - from);
    for (long at = (long) OFFSET + from; out.hasRemaining(); ) {
      at += channel.write(out, at);
    }
    dirtyFrom = BYTES;
  }

  /** The blocks that are no holes. */
  BlockSet allocated() {
    BlockSet allocated = BlockSet.none();
    for (int block = 0; block < Blocks.COUNT; block++) {
      if (checksum(block) != Blocks.HOLE) {
        allocated.add(block);
      }
    }
    return allocated;
  }

  private int allocatedCount() {
    int count = 0;
    for (int block = 0; block < Blocks.COUNT; block++) {
      count += checksum(block) == Blocks.HOLE ? 0 : 1;
    }
    return count;
  }

  /** Equal for equal content, however it was written. */
  long digest() {
    long sum = 0;
    for (int block = 0; block < Blocks.COUNT; block++) {
      int checksum = checksum(block);
      if (checksum != Blocks.HOLE) {
        sum += Pools.mix(((long) block + 1) << 32 | (checksum & 0xffffffffL));
      }
    }
    return Pools.mix(sum);
  }

  ChunkInfo info(ChunkId id) {
    return new ChunkInfo(id, version(), digest(), allocatedCount());
  }

  private int crc() {
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(0, CRC_AT));
    crc.update(bytes.slice(CRC_AT + 4, BYTES - CRC_AT - 4));
    return (int) crc.getValue();
  }
}
