package org.trefoilfs.replication.heal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TokenBucketTest {
  private static final long RATE = 10 << 20;
  private static final long SECOND = 1_000_000_000L;
  private static final long BURST = RATE * TokenBucket.BURST_NANOS / SECOND;
  private static final int CHUNK = 4 << 20;

  /** What went through, and when. */
  private record Let(long atNanos, long bytes) {}

  @Test
  void theRateIsKeptOverEveryWindowAndUsedUpWhileSomebodyAsks() {
    long seed = Long.getLong("seed", System.nanoTime());
    Random random = new Random(seed);
    long start = random.nextLong() / 2;
    TokenBucket bucket = new TokenBucket(RATE, start);
    List<Let> let = new ArrayList<>();
    long now = start;
    long asked = 0;
    for (int i = 0; i < 300; i++) {
      long bytes = 1 + random.nextInt(i % 3 == 0 ? CHUNK : 4096);
      long wait = bucket.take(bytes, now);
      let.add(new Let(now + Math.max(0, wait), bytes));
      asked += bytes;
      // Some ask while others wait, some long after.
      now += random.nextInt(10) == 0 ? Math.max(0, wait) + random.nextInt(100_000_000) : 0;
    }
    for (int from = 0; from < let.size(); from++) {
      long sum = 0;
      for (int to = from; to < let.size(); to++) {
        sum += let.get(to).bytes();
        long window = let.get(to).atNanos() - let.get(from).atNanos();
        double most = (double) window * RATE / SECOND + BURST + let.get(from).bytes() + 1000;
        assertThat((double) sum)
            .as("seed %d, from %d to %d", seed, from, to)
            .isLessThanOrEqualTo(most);
      }
    }
    long took = let.getLast().atNanos() - start;
    long idle = now - start;
    assertThat(took)
        .as("seed %d", seed)
        .isLessThanOrEqualTo(Math.round((double) asked * SECOND / RATE) + idle);
  }

  @Test
  void whoAsksFirstGoesFirstAndASmallOneDoesNotPassALargeOneBy() {
    TokenBucket bucket = new TokenBucket(RATE, 0);
    long large = bucket.take(10 * RATE, 0);
    long small = bucket.take(1, 0);
    assertThat(large).isEqualTo(10 * SECOND - TokenBucket.BURST_NANOS);
    assertThat(small).isGreaterThanOrEqualTo(large).isLessThan(large + 1000);
  }

  @Test
  void idleTimeIsSavedUpToTheBucketsSizeOnly() {
    TokenBucket bucket = new TokenBucket(RATE, 0);
    assertThat(bucket.take(BURST, 1000 * SECOND)).isLessThanOrEqualTo(0);
    assertThat(bucket.take(RATE, 1000 * SECOND)).isEqualTo(SECOND);
  }

  @Test
  void whatWasNotUsedShortensTheNextWaitAndWhatWasUsedBeyondMakesItLonger() {
    TokenBucket bucket = new TokenBucket(RATE, 0);
    bucket.take(BURST + RATE, 0);
    bucket.giveBack(RATE);
    assertThat(bucket.take(RATE, 0)).isEqualTo(SECOND);
    bucket.giveBack(-RATE);
    assertThat(bucket.take(0, 0)).isEqualTo(2 * SECOND);
  }

  @Test
  void noRateIsNoBucket() {
    assertThatThrownBy(() -> new TokenBucket(0, 0)).isInstanceOf(IllegalArgumentException.class);
  }
}
