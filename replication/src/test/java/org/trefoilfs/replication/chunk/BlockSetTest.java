package org.trefoilfs.replication.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

class BlockSetTest {
  private static final ChunkId CHUNK = new ChunkId(3, 1);
  private static final int BLOCK = ChunkId.BLOCK;

  @Test
  void aMutationChangesEveryBlockThatItTouches() {
    assertThat(write(BLOCK - 1, 2).ranges()).containsExactly(new BlockSet.Range(0, 2 * BLOCK));
    assertThat(write(BLOCK, BLOCK).ranges()).containsExactly(new BlockSet.Range(BLOCK, BLOCK));
    assertThat(write(5, 0).ranges()).isEmpty();
    assertThat(BlockSet.of(new Mutation.Delete(CHUNK)).isAll()).isTrue();
    assertThat(BlockSet.of(new Mutation.Punch(CHUNK, ChunkId.SIZE - 1, 1)).ranges())
        .containsExactly(new BlockSet.Range(ChunkId.SIZE - BLOCK, BLOCK));
  }

  @Test
  void setsAreJoinedComparedAndReduced() {
    BlockSet some = write(0, BLOCK);
    some.add(write(5 * BLOCK, 2 * BLOCK));
    assertThat(some.ranges())
        .containsExactly(new BlockSet.Range(0, BLOCK), new BlockSet.Range(5 * BLOCK, 2 * BLOCK));
    assertThat(some.bytes()).isEqualTo(3L * BLOCK);
    assertThat(some.containsAll(write(6 * BLOCK, 10))).isTrue();
    assertThat(some.containsAll(write(6 * BLOCK, BLOCK + 1))).isFalse();
    BlockSet copy = some.copy();
    copy.remove(new Extent(5 * BLOCK, ByteBuffer.allocate(BLOCK)));
    assertThat(copy.ranges())
        .containsExactly(new BlockSet.Range(0, BLOCK), new BlockSet.Range(6 * BLOCK, BLOCK));
    assertThat(some.bytes()).as("the original").isEqualTo(3L * BLOCK);
  }

  @Test
  void comesBackFromItsBytes() {
    for (BlockSet blocks :
        List.of(BlockSet.none(), BlockSet.all(), write(900 * BLOCK, 3 * BLOCK))) {
      ByteWriter out = new ByteWriter();
      blocks.writeTo(out);
      assertThat(BlockSet.readFrom(new ByteReader(out.toBytes()))).isEqualTo(blocks);
    }
  }

  @Test
  void aBlockThatNoChunkHasIsMalformed() {
    ByteWriter out = new ByteWriter().u8(17);
    for (int i = 0; i < 17; i++) {
      out.i64(1);
    }
    assertThatThrownBy(() -> BlockSet.readFrom(new ByteReader(out.toBytes())))
        .isInstanceOf(TrefoilException.class)
        .hasMessageContaining("block 1024");
  }

  private static BlockSet write(int offset, int length) {
    return BlockSet.of(new Mutation.Write(CHUNK, offset, ByteBuffer.allocate(length)));
  }
}
