package org.trefoilfs.replication.heal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;

class ChangesTest {
  private final Changes changes = new Changes(Version.NONE);

  @Test
  void namesAtLeastWhatWasWrittenSinceAndNothingOfChunksThatWereNot() {
    long seed = Long.getLong("seed", System.nanoTime());
    Random random = new Random(seed);
    for (int run = 0; run < 200; run++) {
      Changes random200 = new Changes(Version.NONE);
      List<Mutation> written = new ArrayList<>();
      for (int i = 1; i <= 150; i++) {
        Mutation mutation = randomMutation(random);
        random200.committed(new Version(1, i), mutation);
        written.add(mutation);
        switch (random.nextInt(30)) {
          case 0 -> random200.mark();
          case 1 -> random200.trimIfDue();
          case 2 -> random200.trim();
          default -> {}
        }
      }
      for (int since = 0; since <= written.size(); since++) {
        if (random200.knowsSince(since)) {
          assertCovers(random200, written, since, "seed " + seed + " run " + run);
        }
      }
    }
  }

  private static void assertCovers(
      Changes changes, List<Mutation> written, int since, String where) {
    Map<ChunkId, BlockSet> truth = new HashMap<>();
    for (Mutation mutation : written.subList(since, written.size())) {
      truth.computeIfAbsent(mutation.chunk(), _ -> BlockSet.none()).add(BlockSet.of(mutation));
    }
    Map<ChunkId, Changes.Changed> said = changes.since(since);
    assertThat(said.keySet()).as(where + " since " + since).isEqualTo(truth.keySet());
    truth.forEach(
        (chunk, blocks) -> {
          assertThat(said.get(chunk).blocks().containsAll(blocks)).as(where).isTrue();
          assertThat(changes.blocksSince(chunk, since)).isEqualTo(said.get(chunk).blocks());
        });
  }

  @Test
  void tellsApartWhatWasWrittenBeforeAndAfterAMark() {
    changes.committed(new Version(1, 1), write(7, 0, 4 * ChunkId.BLOCK));
    changes.mark();
    changes.committed(new Version(2, 2), write(7, 9 * ChunkId.BLOCK, 10));
    assertThat(changes.since(1))
        .isEqualTo(
            Map.of(
                new ChunkId(7, 0),
                new Changes.Changed(2, BlockSet.of(write(7, 9 * ChunkId.BLOCK, 1)))));
  }

  @Test
  void forgetsWhatNobodyWillAskFor() {
    for (int n = 1; n <= 1000; n++) {
      changes.committed(new Version(1, n), write(n, 0, 10));
      changes.trimIfDue();
    }
    assertThat(changes.chunks()).isBetween(32, 64);
    assertThat(changes.knowsSince(968)).isTrue();
    assertThat(changes.knowsSince(900)).isFalse();
    assertThatThrownBy(() -> changes.since(900)).hasMessageContaining("900");
  }

  @Test
  void aGapInTheNumbersForgetsWhatWasBefore() {
    changes.committed(new Version(1, 1), write(1, 0, 1));
    changes.committed(new Version(4, 9), write(1, 0, 1));
    assertThat(changes.knowsSince(7)).isFalse();
    assertThat(changes.knowsSince(8)).isTrue();
  }

  @Test
  void historiesPartWhereALaterViewWroteTheSameNumbers() {
    for (int n = 1; n <= 10; n++) {
      changes.committed(new Version(n <= 6 ? 3 : 5, n), write(1, 0, 1));
    }
    assertThat(changes.sharedWith(new Version(3, 4))).isEqualTo(OptionalLong.of(4));
    assertThat(changes.sharedWith(new Version(3, 8))).as("rewritten").isEqualTo(OptionalLong.of(6));
    assertThat(changes.sharedWith(new Version(4, 8))).isEqualTo(OptionalLong.of(6));
    assertThat(changes.sharedWith(new Version(5, 8))).isEqualTo(OptionalLong.of(8));
    assertThat(changes.sharedWith(new Version(5, 12))).as("lost").isEqualTo(OptionalLong.of(10));
  }

  @Test
  void whatIsOlderThanTheFloorIsShared() {
    changes.restart(new Version(4, 20));
    assertThat(changes.sharedWith(new Version(4, 19))).isEmpty();
    assertThat(changes.sharedWith(new Version(3, 20))).isEmpty();
    assertThat(changes.sharedWith(new Version(4, 20))).isEqualTo(OptionalLong.of(20));
  }

  private static Mutation randomMutation(Random random) {
    int inode = random.nextInt(4);
    return switch (random.nextInt(10)) {
      case 0 -> new Mutation.Delete(new ChunkId(inode, 0));
      case 1 ->
          new Mutation.Punch(
              new ChunkId(inode, 0), random.nextInt(1 << 20), 1 + random.nextInt(1 << 20));
      default -> write(inode, random.nextInt(1 << 21), 1 + random.nextInt(20_000));
    };
  }

  private static Mutation write(long inode, int offset, int length) {
    return new Mutation.Write(new ChunkId(inode, 0), offset, ByteBuffer.allocate(length));
  }
}
