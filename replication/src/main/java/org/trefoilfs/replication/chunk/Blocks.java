package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Checksums of blocks, as the table holds them. */
final class Blocks {
  /** Blocks in a chunk. */
  static final int COUNT = ChunkId.SIZE / ChunkId.BLOCK;

  /** Of a block of zeros, written or never written: equal bytes must give equal tables. */
  static final int HOLE = 0;

  private static final ByteBuffer ZEROS = ByteBuffer.allocate(ChunkId.BLOCK).asReadOnlyBuffer();

  private Blocks() {}

  /** CRC32C of the block, 1 where that is 0; {@link #HOLE} for zeros. Positions do not move. */
  static int checksum(ByteBuffer block) {
    if (isZero(block)) {
      return HOLE;
    }
    CRC32C crc = new CRC32C();
    crc.update(block.duplicate());
    int value = (int) crc.getValue();
    return value == HOLE ? 1 : value;
  }

  /** Whether all bytes are zero of a block, or of a part of one. */
  static boolean isZero(ByteBuffer block) {
    int length = block.remaining();
    return length == 0
        || (block.get(block.position()) == 0 && block.mismatch(ZEROS.slice(0, length)) < 0);
  }

  /** The block that holds the byte. */
  static int of(int offset) {
    return offset / ChunkId.BLOCK;
  }

  /** The first block that begins at the byte or behind it. */
  static int atOrAfter(int offset) {
    return (offset + ChunkId.BLOCK - 1) / ChunkId.BLOCK;
  }
}
