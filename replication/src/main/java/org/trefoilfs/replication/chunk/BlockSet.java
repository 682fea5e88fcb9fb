package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** Some of a chunk's blocks. Grows; not thread-safe. */
public final class BlockSet {
  /** Bytes that an encoded one has at least. */
  public static final int MIN_ENCODED_BYTES = 1;

  private final BitSet blocks;

  private BlockSet(BitSet blocks) {
    this.blocks = blocks;
  }

  public static BlockSet none() {
    return new BlockSet(new BitSet());
  }

  public static BlockSet all() {
    BitSet blocks = new BitSet(Blocks.COUNT);
    blocks.set(0, Blocks.COUNT);
    return new BlockSet(blocks);
  }

  /** The blocks that a mutation changes, be it in part. */
  public static BlockSet of(Mutation mutation) {
    return switch (mutation) {
      case Mutation.Write write -> range(write.offset(), write.data().remaining());
      case Mutation.Punch punch -> range(punch.offset(), punch.length());
      case Mutation.Delete _ -> all();
    };
  }

  /** The blocks that have a byte of the range. */
  private static BlockSet range(int offset, int length) {
    BlockSet blocks = none();
    blocks.add(offset, length);
    return blocks;
  }

  public BlockSet copy() {
    return new BlockSet((BitSet) blocks.clone());
  }

  public void add(BlockSet more) {
    blocks.or(more.blocks);
  }

  /** Adds the blocks that have a byte of the range. */
  void add(int offset, int length) {
    if (length > 0) {
      blocks.set(Blocks.of(offset), Blocks.of(offset + length - 1) + 1);
    }
  }

  /** Takes out the blocks that lie in the range with all their bytes. */
  void removeWhole(int offset, int length) {
    int first = Blocks.atOrAfter(offset);
    int end = Blocks.of(offset + length);
    if (first < end) {
      blocks.clear(first, end);
    }
  }

  void add(int block) {
    blocks.set(block);
  }

  void clear() {
    blocks.clear();
  }

  /**
   * What these blocks, those that hold anything but zeros, are after a mutation. A block that it
   * makes zero in part is left as it was.
   */
  public void after(Mutation mutation) {
    switch (mutation) {
      case Mutation.Write(_, int offset, ByteBuffer data) -> written(offset, data);
      case Mutation.Punch(_, int offset, int length) -> removeWhole(offset, length);
      case Mutation.Delete _ -> clear();
    }
  }

  private void written(int offset, ByteBuffer data) {
    int end = offset + data.remaining();
    for (int from = offset; from < end; ) {
      int block = Blocks.of(from);
      int to = Math.min(end, (block + 1) * ChunkId.BLOCK);
      if (!Blocks.isZero(data.slice(data.position() + from - offset, to - from))) {
        blocks.set(block);
      } else if (to - from == ChunkId.BLOCK) {
        blocks.clear(block);
      }
      from = to;
    }
  }

  /** Takes out the blocks of an extent. */
  public void remove(Extent extent) {
    blocks.andNot(range(extent.offset(), extent.data().remaining()).blocks);
  }

  public boolean containsAll(BlockSet others) {
    BitSet missing = (BitSet) others.blocks.clone();
    missing.andNot(blocks);
    return missing.isEmpty();
  }

  public boolean isAll() {
    return blocks.cardinality() == Blocks.COUNT;
  }

  public long bytes() {
    return (long) blocks.cardinality() * ChunkId.BLOCK;
  }

  /** Consecutive blocks. Both in bytes. */
  public record Range(int offset, int length) {}

  public List<Range> ranges() {
    List<Range> ranges = new ArrayList<>();
    for (int from = blocks.nextSetBit(0); from >= 0; ) {
      int end = blocks.nextClearBit(from);
      ranges.add(new Range(from * ChunkId.BLOCK, (end - from) * ChunkId.BLOCK));
      from = blocks.nextSetBit(end);
    }
    return ranges;
  }

  /** Number of words (u8), then the words, the first with blocks 0 to 63. */
  public void writeTo(ByteWriter out) {
    long[] words = blocks.toLongArray();
    out.u8(words.length);
    for (long word : words) {
      out.i64(word);
    }
  }

  /** Throws INVALID for blocks that no chunk has. */
  public static BlockSet readFrom(ByteReader in) {
    long[] words = new long[in.u8()];
    for (int i = 0; i < words.length; i++) {
      words[i] = in.i64();
    }
    BitSet blocks = BitSet.valueOf(words);
    if (blocks.length() > Blocks.COUNT) {
      throw new TrefoilException(
          Reason.INVALID, "malformed record: block " + (blocks.length() - 1) + " of a chunk");
    }
    return new BlockSet(blocks);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BlockSet set && set.blocks.equals(blocks);
  }

  @Override
  public int hashCode() {
    return blocks.hashCode();
  }

  @Override
  public String toString() {
    return blocks.toString();
  }
}
