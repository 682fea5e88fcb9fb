package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.membership.OperationId;

class HistoriesTest {
  private static final int MAX = 100;

  private final Histories histories = new Histories(MAX);

  @Test
  void whatWasRecoveredCountsUntilItsGroupIsJoined() {
    History history = new History();
    for (int n = 1; n <= 10; n++) {
      history.committed(entry(n, n));
    }
    histories.recovered(history, new Version(1, 10));
    assertThat(histories.chunks()).isEqualTo(10);
    histories.joins(history, new Version(1, 10));
    assertThat(histories.chunks()).isZero();
  }

  @Test
  void theCountIsWhatTheHistoriesHoldAndStaysBounded() {
    long seed = Long.getLong("seed", System.nanoTime());
    Random random = new Random(seed);
    List<History> all = List.of(new History(), new History(), new History());
    all.forEach(history -> histories.recovered(history, Version.NONE));
    int[] last = new int[all.size()];
    for (int step = 0; step < 20_000; step++) {
      int which = random.nextInt(all.size());
      History history = all.get(which);
      boolean whole = random.nextInt(50) == 0;
      long before = histories.chunks();
      switch (random.nextInt(100)) {
        case 0 -> histories.joins(history, new Version(1, last[which]));
        case 1 -> history.mark();
        default -> histories.committed(history, entry(++last[which], random.nextInt(300)), whole);
      }
      assertThat(histories.chunks())
          .as("seed %d step %d", seed, step)
          .isEqualTo(all.stream().mapToInt(History::chunks).sum())
          .isLessThanOrEqualTo(Math.max(MAX + 1, whole ? before + 1 : before));
    }
  }

  private static Entry entry(int n, int chunk) {
    return new Entry(
        3 << 16,
        new Version(1, n),
        new OperationId(1, n),
        new Mutation.Write(new ChunkId(7, chunk), 0, ByteBuffer.allocate(10)),
        0);
  }
}
