package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;

/** Blocks of zeros take no space: see {@link ChunkStore#allocated}. */
public final class Zeros {
  private Zeros() {}

  /**
   * Whether a write may leave a block with nothing but zeros: it brings only zeros to one of those
   * that it touches.
   *
   * @param offset of the write, in its chunk or file
   */
  public static boolean mayFillBlock(long offset, ByteBuffer data) {
    int length = data.remaining();
    for (int at = 0; at < length; ) {
      int rest = ChunkId.BLOCK - (int) ((offset + at) % ChunkId.BLOCK);
      int count = Math.min(rest, length - at);
      if (Blocks.isZero(data.slice(data.position() + at, count))) {
        return true;
      }
      at += count;
    }
    return false;
  }
}
