package org.trefoilfs.replication.heal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.CopyState;
import org.trefoilfs.replication.commit.GroupLog;

/**
 * A joiner whose primary died amid its catch-up begins another one, with a primary that lost the
 * last writes. It has left one of them out: its chunk looks like the new primary's, and would not
 * any longer after a restart, which redoes that write.
 */
final class CatchUpTest {
  private static final ChunkId CHUNK = new ChunkId(9, 0);
  private static final ChunkInfo INFO = new ChunkInfo(CHUNK, new Version(1, 4), 77, 1);

  private final CopyState state = new GroupLog(1).copyState();
  private final CatchUp catchUp = new CatchUp();

  private void writeIsLeftOut() {
    state.leftOut(CHUNK, BlockSet.of(new Mutation.Write(CHUNK, 8192, ByteBuffer.allocate(8))));
  }

  private List<ChunkId> compare(List<ChunkInfo> ours, List<ChunkInfo> theirs) {
    catchUp.compareAll(ours, state.leftOut().keySet());
    catchUp.listing(theirs);
    return catchUp.listingEnded();
  }

  @Test
  void equalChunkIsNotFetched() {
    assertThat(compare(List.of(INFO), List.of(INFO))).isEmpty();
    assertThat(catchUp.isComplete()).isTrue();
  }

  @Test
  void chunkOfWhichAWriteWasLeftOutIsFetchedHoweverEqual() {
    writeIsLeftOut();
    compare(List.of(INFO), List.of(INFO));
    assertThat(catchUp.startFetch().orElseThrow().chunk()).isEqualTo(CHUNK);
  }

  @Test
  void chunkThatOnlyAWriteLeftOutNamesIsRemoved() {
    writeIsLeftOut();
    assertThat(compare(List.of(), List.of())).containsExactly(CHUNK);
  }

  @Test
  void nothingIsLeftOutOfAChunkThatWasCopied() {
    writeIsLeftOut();
    assertThat(state.leftOut().get(CHUNK).bytes()).isEqualTo(ChunkId.BLOCK);
    state.copied(CHUNK, new Version(3, 9));
    assertThat(state.leftOut()).isEmpty();
  }

  @Test
  void chunksWithDamagedTablesAreNotEqual() {
    ChunkInfo damaged = new ChunkInfo(CHUNK, Version.NONE, 0, 0);
    compare(List.of(damaged), List.of(damaged));
    assertThat(catchUp.isComplete()).isFalse();
  }

  @Test
  void joinerWithoutChunksFetchesAll() {
    catchUp.compareAll(List.of(), Set.of());
    catchUp.listing(List.of(INFO));
    assertThat(catchUp.listingEnded()).isEmpty();
    assertThat(catchUp.startFetch().orElseThrow().blocks().isAll()).isTrue();
  }

  @Test
  void imageThatFoundNoSpaceIsFetchedAgainBeforeTheJoinerHasCaughtUp() {
    compare(List.of(), List.of(INFO));
    CatchUp.Wanted wanted = catchUp.startFetch().orElseThrow();
    catchUp.fetched(new ChunkImage(CHUNK, INFO.version(), List.of()), wanted.blocks());
    assertThat(catchUp.isComplete()).isTrue();
    catchUp.missing(CHUNK, BlockSet.none());
    assertThat(catchUp.isComplete()).isFalse();
    assertThat(catchUp.startFetch().orElseThrow().blocks().isAll()).isTrue();
  }
}
