package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Writes on top of an image. A joiner installs an image together with the live writes that came
 * while it was fetched: the journal then holds one record in which both are, and its replay cannot
 * put the image over a write that was applied after it.
 */
public final class ImageMerge {
  private static final int BLOCKS = ChunkId.SIZE / ChunkId.BLOCK;

  private final byte[] bytes = new byte[ChunkId.SIZE];
  private final BitSet allocated = new BitSet(BLOCKS);

  private ImageMerge() {}

  /** The image after these mutations, in order; {@code version} is the last one's. */
  public static ChunkImage merge(ChunkImage image, List<Mutation> mutations, Version version) {
    if (mutations.isEmpty()) {
      return image;
    }
    ImageMerge merge = new ImageMerge();
    image.extents().forEach(extent -> merge.write(extent.offset(), extent.data()));
    for (Mutation mutation : mutations) {
      switch (mutation) {
        case Mutation.Write(_, int offset, ByteBuffer data) -> merge.write(offset, data);
        case Mutation.Punch(_, int offset, int length) -> merge.zero(offset, offset + length);
        case Mutation.Delete _ -> merge.clear();
      }
    }
    boolean removed = mutations.getLast() instanceof Mutation.Delete;
    return new ChunkImage(image.id(), removed ? Version.NONE : version, merge.extents());
  }

  private void write(int offset, ByteBuffer data) {
    int length = data.remaining();
    if (length > 0) {
      data.get(data.position(), bytes, offset, length);
      allocated.set(offset / ChunkId.BLOCK, (offset + length - 1) / ChunkId.BLOCK + 1);
    }
  }

  private void zero(int from, int to) {
    java.util.Arrays.fill(bytes, from, to, (byte) 0);
    int first = (from + ChunkId.BLOCK - 1) / ChunkId.BLOCK;
    int end = to / ChunkId.BLOCK;
    if (first < end) {
      allocated.clear(first, end);
    }
  }

  private void clear() {
    java.util.Arrays.fill(bytes, (byte) 0);
    allocated.clear();
  }

  private List<Extent> extents() {
    List<Extent> extents = new ArrayList<>();
    for (int from = allocated.nextSetBit(0); from >= 0; ) {
      int end = allocated.nextClearBit(from);
      int offset = from * ChunkId.BLOCK;
      extents.add(
          new Extent(offset, ByteBuffer.wrap(bytes, offset, (end - from) * ChunkId.BLOCK).slice()));
      from = allocated.nextSetBit(end);
    }
    return extents;
  }
}
