package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Writes on top of an image. A joiner installs an image together with the live writes that came
 * while it was fetched: the journal then holds one record in which both are, and its replay cannot
 * put the image over a write that was applied after it.
 */
public final class ImageMerge {
  private final byte[] bytes = new byte[ChunkId.SIZE];
  private final BlockSet allocated = BlockSet.none();

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
        case Mutation.Punch(_, int offset, int length) -> merge.zero(offset, length);
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
      allocated.add(offset, length);
    }
  }

  private void zero(int offset, int length) {
    Arrays.fill(bytes, offset, offset + length, (byte) 0);
    allocated.removeWhole(offset, length);
  }

  private void clear() {
    Arrays.fill(bytes, (byte) 0);
    allocated.clear();
  }

  private List<Extent> extents() {
    return allocated.ranges().stream()
        .map(
            range ->
                new Extent(
                    range.offset(), ByteBuffer.wrap(bytes, range.offset(), range.length()).slice()))
        .toList();
  }
}
