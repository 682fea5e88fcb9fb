package org.trefoilfs.replication.chunk;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * Names a chunk: the {@code index}-th 4 MiB of an object. The object is an inode for those above
 * this module; here it is a number that is never reused.
 */
public record ChunkId(long inode, int index) implements Comparable<ChunkId> {
  /** Bytes in a chunk. */
  public static final int SIZE = 4 << 20;

  /** Bytes under one checksum. */
  public static final int BLOCK = 4096;

  public void writeTo(ByteWriter out) {
    out.i64(inode).i32(index);
  }

  public static ChunkId readFrom(ByteReader in) {
    return new ChunkId(in.i64(), in.i32());
  }

  @Override
  public int compareTo(ChunkId other) {
    int byInode = Long.compare(inode, other.inode);
    return byInode != 0 ? byInode : Integer.compare(index, other.index);
  }

  @Override
  public String toString() {
    return Long.toHexString(inode) + "-" + index;
  }
}
