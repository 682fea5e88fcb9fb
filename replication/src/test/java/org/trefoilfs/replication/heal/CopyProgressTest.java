package org.trefoilfs.replication.heal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.transport.Message;

class CopyProgressTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int BLOCK = ChunkId.BLOCK;
  private static final ChunkId FIRST = new ChunkId(7, 0);
  private static final ChunkId SECOND_CHUNK = new ChunkId(7, 1);

  private final CopyProgress progress = new CopyProgress(0);
  private final CatchUp catchUp = new CatchUp();

  private static BlockSet blocks(int from, int count) {
    return BlockSet.of(new Mutation.Punch(FIRST, from * BLOCK, count * BLOCK));
  }

  @Test
  void nothingIsToldOfAHostThatNeverJoined() {
    assertThat(progress.report(9 * SECOND)).isEqualTo(Message.CatchUp.NONE);
  }

  @Test
  void whatIsLeftIsUnknownUntilEveryGroupHasItsList() {
    progress.joining(Set.of(1, 2), 0);
    progress.started(1, catchUp);
    catchUp.changed(FIRST, blocks(0, 8));
    catchUp.listed(5);
    progress.copied(2L * BLOCK, SECOND);
    Message.CatchUp report = progress.report(2 * SECOND);
    assertThat(report.groups()).isEqualTo(new Message.CatchUp.Groups(2, 1, 2));
    assertThat(report.eta()).isEmpty();
    CatchUp other = new CatchUp();
    progress.started(2, other);
    assertThat(progress.report(2 * SECOND).eta()).isEmpty();
    other.listed(5);
    report = progress.report(2 * SECOND);
    assertThat(report.bytesPerSecond()).isEqualTo(BLOCK);
    assertThat(report.eta()).contains(Duration.ofSeconds(8));
    assertThat(report.millis()).isEqualTo(2000);
  }

  @Test
  void theRateIsOfTheLastSecondsOnly() {
    progress.joining(Set.of(1), 0);
    for (int second = 1; second <= 60; second++) {
      progress.copied(second <= 30 ? 1_000_000 : 4_000_000, second * SECOND);
    }
    assertThat(progress.report(60 * SECOND).bytesPerSecond()).isBetween(3_900_000L, 4_500_000L);
    assertThat(progress.report(300 * SECOND).bytesPerSecond()).isZero();
  }

  @Test
  void whatCameOfItStaysUntilTheNextTime() {
    progress.joining(Set.of(1, 2), SECOND);
    progress.started(1, catchUp);
    catchUp.changed(FIRST, blocks(0, 2));
    catchUp.listed(5);
    copy(2);
    progress.joining(Set.of(2), 2 * SECOND);
    progress.joining(Set.of(), 3 * SECOND);
    Message.CatchUp over = progress.report(100 * SECOND);
    assertThat(over.isUnderWay()).isFalse();
    assertThat(over.groups()).isEqualTo(new Message.CatchUp.Groups(0, 0, 2));
    assertThat(over.bytes()).isEqualTo(new Message.CatchUp.Bytes(0, 2L * BLOCK, 2L * BLOCK));
    assertThat(over.millis()).isEqualTo(2000);

    progress.joining(Set.of(3), 200 * SECOND);
    Message.CatchUp next = progress.report(201 * SECOND);
    assertThat(next.groups()).isEqualTo(new Message.CatchUp.Groups(1, 1, 1));
    assertThat(next.bytes()).isEqualTo(new Message.CatchUp.Bytes(0, 0, 0));
    assertThat(next.millis()).isEqualTo(1000);
  }

  @Test
  void oneThatIsBegunAnewCountsWhatIsChangedOnce() {
    progress.joining(Set.of(1), 0);
    progress.started(1, catchUp);
    catchUp.changed(FIRST, blocks(0, 2));
    catchUp.changed(SECOND_CHUNK, blocks(4, 4));
    catchUp.listed(5);
    copy(2);
    CatchUp again = new CatchUp();
    progress.started(1, again);
    again.changed(SECOND_CHUNK, blocks(4, 4));
    again.listed(5);
    assertThat(progress.report(SECOND).bytes())
        .isEqualTo(new Message.CatchUp.Bytes(4L * BLOCK, 2L * BLOCK, 6L * BLOCK));
  }

  @Test
  void aChunkThatComesWholeCountsWithWhatIsInIt() {
    progress.joining(Set.of(1), 0);
    progress.started(1, catchUp);
    catchUp.missing(FIRST, blocks(0, 3));
    assertThat(catchUp.nextBytes()).hasValue(3L * BLOCK);
    assertThat(catchUp.startFetch().orElseThrow().blocks().isAll()).isTrue();
    catchUp.compareAll(List.of(), Set.of());
    catchUp.listing(List.of(new ChunkInfo(SECOND_CHUNK, new Version(1, 9), 99L, 5)));
    assertThat(catchUp.bytesLeft()).isEqualTo(8L * BLOCK);
    assertThat(catchUp.bytesChanged()).isEqualTo(8L * BLOCK);
  }

  @Test
  void whatIsWrittenAgainAndAgainIsCountedOnce() {
    progress.joining(Set.of(1), 0);
    progress.started(1, catchUp);
    catchUp.missing(FIRST, blocks(0, 3));
    for (int n = 1; n <= 100; n++) {
      Mutation again = new Mutation.Punch(FIRST, (n % 2 + 2) * BLOCK, BLOCK);
      Entry entry = new Entry(1, new Version(1, n), new OperationId(1, n), again, n);
      assertThat(catchUp.admits(entry)).isFalse();
    }
    assertThat(catchUp.bytesLeft()).isEqualTo(4L * BLOCK);
    assertThat(catchUp.bytesChanged()).isEqualTo(4L * BLOCK);
  }

  /** The next chunk of {@link #catchUp} comes, with so many blocks. */
  private void copy(int blocks) {
    CatchUp.Wanted wanted = catchUp.startFetch().orElseThrow();
    ChunkImage image = new ChunkImage(wanted.chunk(), new Version(1, 5), List.of());
    assertThat(catchUp.fetched(image, wanted.blocks())).contains(List.of());
    progress.copied((long) blocks * BLOCK, SECOND);
  }
}
