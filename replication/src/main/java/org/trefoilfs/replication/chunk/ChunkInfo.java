package org.trefoilfs.replication.chunk;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * What a store knows of a chunk without reading its data.
 *
 * @param digest hash of the table of block checksums: two stores with equal version and digest hold
 *     equal bytes
 * @param blocks number of 4 KiB blocks that are allocated
 */
public record ChunkInfo(ChunkId id, Version version, long digest, int blocks) {
  public void writeTo(ByteWriter out) {
    id.writeTo(out);
    version.writeTo(out);
    out.i64(digest).i32(blocks);
  }

  public static ChunkInfo readFrom(ByteReader in) {
    return new ChunkInfo(ChunkId.readFrom(in), Version.readFrom(in), in.i64(), in.i32());
  }

  /** Bytes of an encoded one. */
  public static final int ENCODED_BYTES = 12 + 16 + 12;
}
