package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** What a chunk store should hold: arrays in memory. */
final class ReferenceStore {
  private final Map<ChunkId, byte[]> chunks = new HashMap<>();
  private final Map<ChunkId, Version> versions = new HashMap<>();

  void apply(Mutation mutation, Version version) {
    switch (mutation) {
      case Mutation.Write(ChunkId id, int offset, ByteBuffer data) -> {
        byte[] chunk = chunks.computeIfAbsent(id, key -> new byte[ChunkId.SIZE]);
        data.duplicate().get(chunk, offset, data.remaining());
        versions.put(id, version);
      }
      case Mutation.Punch(ChunkId id, int offset, int length) -> {
        if (chunks.containsKey(id)) {
          Arrays.fill(chunks.get(id), offset, offset + length, (byte) 0);
          versions.put(id, version);
        }
      }
      case Mutation.Delete(ChunkId id) -> {
        chunks.remove(id);
        versions.remove(id);
      }
    }
  }

  byte[] read(ChunkId id, int offset, int length) {
    byte[] chunk = chunks.get(id);
    return chunk == null ? new byte[length] : Arrays.copyOfRange(chunk, offset, offset + length);
  }

  /** The blocks with a byte that is not zero. */
  BlockSet allocated(ChunkId id) {
    byte[] chunk = read(id, 0, ChunkId.SIZE);
    BlockSet blocks = BlockSet.none();
    for (int i = 0; i < chunk.length; i++) {
      if (chunk[i] != 0) {
        blocks.add(i / ChunkId.BLOCK);
      }
    }
    return blocks;
  }

  Map<ChunkId, Version> versions() {
    return versions;
  }
}
