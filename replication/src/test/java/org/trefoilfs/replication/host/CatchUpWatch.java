package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.transport.Message;

/** What a host said of its catch-up, from its start to its end. */
final class CatchUpWatch {
  private static final double NANOS_PER_SECOND = 1e9;

  /** Said between these times. */
  private record Sample(long fromNanos, long toNanos, Message.CatchUp said) {
    long copied() {
      return said.bytes().copied();
    }
  }

  private final List<Sample> samples = new ArrayList<>();

  /** Watches until the host has caught up. */
  static CatchUpWatch of(Host host) {
    CatchUpWatch watch = new CatchUpWatch();
    await()
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> watch.look(host));
    return watch;
  }

  private boolean look(Host host) {
    long from = System.nanoTime();
    Message.CatchUp said = host.catchUp();
    samples.add(new Sample(from, System.nanoTime(), said));
    return said.groups().total() > 0 && !said.isUnderWay();
  }

  Message.CatchUp last() {
    return samples.getLast().said();
  }

  void assertItGrew(int steps) {
    List<Long> copied = samples.stream().map(Sample::copied).toList();
    assertThat(copied).isSorted();
    assertThat(copied.stream().distinct().count()).isGreaterThan(steps);
  }

  /**
   * @param slack bytes in the bucket, and those that may be under way at once
   */
  void assertRateHeld(long bytesPerSecond, long slack) {
    for (Sample first : samples) {
      for (Sample later : samples) {
        double seconds = (later.toNanos() - first.fromNanos()) / NANOS_PER_SECOND;
        assertThat((double) (later.copied() - first.copied()))
            .as("within %.2f s", seconds)
            .isLessThanOrEqualTo(Math.max(0, seconds) * bytesPerSecond + slack);
      }
    }
  }

  /**
   * Most of what was said between a quarter and three quarters of the way was right by a factor of
   * two, and a second: the last groups are in sync a moment after their bytes have come.
   */
  void assertEtaWasTrue() {
    long end = samples.getLast().fromNanos();
    long total = last().bytes().copied();
    int right = 0;
    int said = 0;
    for (Sample sample : samples) {
      boolean midway = sample.copied() >= total / 4 && sample.copied() <= total / 4 * 3;
      if (midway && sample.said().eta().isPresent()) {
        double truth = (end - sample.fromNanos()) / NANOS_PER_SECOND;
        double eta = sample.said().eta().get().toMillis() / 1000.0;
        said++;
        right += eta >= truth / 2 - 1 && eta <= truth * 2 + 1 ? 1 : 0;
      }
    }
    System.out.println("the time left was right in " + right + " of " + said + " looks");
    assertThat(said).isGreaterThan(10);
    assertThat(right).isGreaterThan(said * 3 / 4);
  }
}
