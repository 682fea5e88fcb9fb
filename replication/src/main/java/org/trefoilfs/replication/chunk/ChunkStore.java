package org.trefoilfs.replication.chunk;

import java.io.Closeable;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Checksummed storage of chunks on one disk, the port that the commit shell applies committed
 * mutations to. Redo is idempotent: applying the same mutations again, in order, heals what a crash
 * tore. Calls for different chunks may run at once; calls that change one chunk are serialized by
 * the caller. Failures are {@code TrefoilException}: CORRUPT (block, file and expected checksum
 * named), NO_SPACE, IO.
 */
public interface ChunkStore extends Closeable {
  /**
   * Reads {@code length} bytes from {@code offset} within the chunk. Holes, and chunks that do not
   * exist, read as zeros. Every block touched is checked against its checksum.
   */
  ByteBuffer read(int pg, ChunkId id, int offset, int length);

  /**
   * Applies one mutation and sets the chunk's version. A write into part of a block first checks
   * the rest of it, unless {@link Redo#REDO}, when a torn block is expected and its new content is
   * checksummed as it then is.
   */
  void apply(int pg, Mutation mutation, Version version, Redo redo);

  /** Replaces the whole chunk (creates it, or drops every old block). */
  void install(int pg, ChunkImage image);

  /** The chunk's whole content, every block checked; empty when there is no such chunk. */
  default Optional<ChunkImage> image(int pg, ChunkId id) {
    return image(pg, id, BlockSet.all());
  }

  /** The content of these blocks, each of them checked: damage elsewhere is none of theirs. */
  Optional<ChunkImage> image(int pg, ChunkId id, BlockSet blocks);

  Optional<ChunkInfo> info(int pg, ChunkId id);

  /**
   * The blocks that hold anything but zeros, none when there is no such chunk. Equal content gives
   * equal blocks, however it was written: the others take no space, or none that anybody needs.
   */
  BlockSet allocated(int pg, ChunkId id);

  /** All chunks of a placement group, in order of id. */
  List<ChunkInfo> list(int pg);

  /** Placement groups that have a directory here. */
  List<Integer> groups();

  /** Removes every chunk of a group that this host no longer holds. */
  void dropGroup(int pg);

  /**
   * Brings everything applied so far to stable storage: data, checksum tables, directory entries.
   */
  void sync();

  Space space();

  @Override
  void close();

  /** Whether a mutation is applied for the first time or again after a crash. */
  enum Redo {
    FIRST,
    REDO
  }
}
