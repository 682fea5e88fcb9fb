package org.trefoilfs.replication.chunk;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** Some of a chunk's blocks. Grows; not thread-safe. */
public final class BlockSet {
  private static final int BLOCKS = ChunkId.SIZE / ChunkId.BLOCK;

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
    BitSet blocks = new BitSet(BLOCKS);
    blocks.set(0, BLOCKS);
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

  private static BlockSet range(int offset, int length) {
    BitSet blocks = new BitSet();
    if (length > 0) {
      blocks.set(offset / ChunkId.BLOCK, (offset + length - 1) / ChunkId.BLOCK + 1);
    }
    return new BlockSet(blocks);
  }

  public BlockSet copy() {
    return new BlockSet((BitSet) blocks.clone());
  }

  public void add(BlockSet more) {
    blocks.or(more.blocks);
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
    return blocks.cardinality() == BLOCKS;
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
    if (blocks.length() > BLOCKS) {
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
