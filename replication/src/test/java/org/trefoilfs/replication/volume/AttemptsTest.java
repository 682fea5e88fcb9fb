package org.trefoilfs.replication.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** How long one attempt of a call may take. */
final class AttemptsTest {
  private final OneHost host = new OneHost();
  private final Volume volume = new ReplicatedVolume(1, host, () -> 0);

  /** Else what waits longer than an attempt is sent again and again, and never answered. */
  @Test
  void aWriteThatWasNotAnsweredInTimeIsGivenMoreTheNextTime() {
    CompletableFuture<Void> write = volume.write(5, 0, ByteBuffer.allocate(8));
    List<Duration> given = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      given.add(host.expire());
    }
    assertThat(given).containsExactly(seconds(1), seconds(2), seconds(4), seconds(8), seconds(8));
    assertThat(write).isNotDone();
    assertThat(host.expire()).as("what is left of 30 s").isBetween(seconds(6), seconds(7));
    assertThat(write)
        .failsWithin(Duration.ZERO)
        .withThrowableThat()
        .havingRootCause()
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.OUTCOME_UNKNOWN));
  }

  @Test
  void aWriteThatWasRefusedAtOnceIsGivenNoMore() {
    CompletableFuture<Void> write = volume.write(5, 0, ByteBuffer.allocate(8));
    for (int i = 0; i < 5; i++) {
      host.failAll(new TrefoilException(Reason.BUSY, "too much at once"));
    }
    assertThat(host.expire()).isEqualTo(seconds(1));
    host.answerAll();
    assertThat(write).isCompleted();
  }

  /** Another replica may have the answer. */
  @Test
  void aReadGoesOnToTheNextReplicaAfterTheUsualTime() {
    CompletableFuture<ByteBuffer> read = volume.read(5, 0, 8);
    assertThat(host.expire()).isEqualTo(seconds(1));
    assertThat(host.expire()).isEqualTo(seconds(1));
    assertThat(read).isNotDone();
  }

  private static Duration seconds(long seconds) {
    return Duration.ofSeconds(seconds);
  }
}
