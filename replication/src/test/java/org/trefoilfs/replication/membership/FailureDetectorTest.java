package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.id;
import static org.trefoilfs.replication.membership.TestCluster.member;

import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FailureDetectorTest {
  private static final Duration T = Duration.ofSeconds(2);

  private final TestCluster.Clock clock = new TestCluster.Clock();
  private TestCluster cluster;
  private FailureDetector detector;

  @BeforeEach
  void twoHostsThatAreHeard() {
    cluster = TestCluster.of(2, 2);
    detector = new FailureDetector(clock, T);
    detector.observe(cluster.view());
    cluster.module.listen(detector::observe);
    hear(1, 2);
  }

  private void hear(int... hosts) {
    for (int host : hosts) {
      detector.heard(id(host), cluster.host(host).incarnation());
    }
  }

  /** Passes time in steps of a tick, in which only these hosts speak. */
  private void pass(long millis, int... speaking) {
    for (long left = millis; left > 0; left -= 100) {
      clock.advanceMillis(100);
      hear(speaking);
      detector.lost();
    }
  }

  @Test
  void aSilentHostIsLostAfterTheDetectionTime() {
    detector.startLeading();
    pass(1900, 1);
    assertThat(detector.lost()).isEmpty();
    assertThat(detector.grants(id(2), 1)).isTrue();
    pass(100, 1);
    assertThat(detector.lost()).containsExactly(member(2, 1));
    assertThat(detector.live()).containsExactly(member(1, 1));
  }

  @Test
  void nobodyIsLostToOneWhoDoesNotLead() {
    pass(10_000);
    assertThat(detector.lost()).isEmpty();
    assertThat(detector.grants(id(1), 1)).isFalse();
  }

  @Test
  void aNewLeaderCountsTheSilenceBeforeItsTermButWaitsForOldLeases() {
    pass(1800, 1);
    detector.startLeading();
    pass(800, 1);
    assertThat(detector.lost()).isEmpty();
    pass(100, 1);
    assertThat(detector.lost()).containsExactly(member(2, 1));
  }

  @Test
  void aHostNamedLostHasNoGrantUntilItStartsAnew() {
    detector.startLeading();
    pass(2000, 1);
    assertThat(detector.lost()).containsExactly(member(2, 1));
    hear(2);
    assertThat(detector.grants(id(2), 1)).isFalse();
    assertThat(detector.lost()).containsExactly(member(2, 1));
    cluster.lose(2);
    assertThat(detector.lost()).isEmpty();
    hear(2);
    assertThat(detector.grants(id(2), 1)).isFalse();
    cluster.start(2, 1);
    hear(2);
    assertThat(detector.grants(id(2), 1)).isTrue();
    assertThat(detector.lost()).isEmpty();
  }

  @Test
  void aHostThatHasStoppedIsLostAtOnceAlsoToANewLeader() {
    detector.stopped(id(2), 1);
    detector.startLeading();
    assertThat(detector.lost()).containsExactly(member(2, 1));
    hear(2);
    assertThat(detector.grants(id(2), 1)).isFalse();
    assertThat(detector.live()).containsExactly(member(1, 1));
    cluster.lose(2);
    hear(2);
    assertThat(detector.lost()).isEmpty();
    assertThat(detector.live()).as("a straggler").containsExactly(member(1, 1));
    cluster.start(2, 2);
    hear(2);
    assertThat(detector.grants(id(2), 2)).isTrue();
    assertThat(detector.live()).contains(member(2, 2));
  }

  @Test
  void aHostThatHasJustStartedHasTheWholeDetectionTimeToSpeak() {
    detector.startLeading();
    pass(2000, 1);
    cluster.lose(2);
    pass(5000, 1);
    cluster.start(2, 2);
    pass(1900, 1);
    assertThat(detector.lost()).isEmpty();
    assertThat(detector.live()).doesNotContain(member(2, 2));
    pass(100, 1);
    assertThat(detector.lost()).containsExactly(member(2, 2));
  }

  @Test
  void grantsAreForTheRecordedIncarnationAlone() {
    detector.startLeading();
    detector.heard(id(1), 2);
    assertThat(detector.grants(id(1), 2)).isFalse();
    cluster.start(1, 2);
    assertThat(detector.grants(id(1), 2)).isTrue();
    detector.heard(id(1), 1);
    assertThat(detector.grants(id(1), 1)).isFalse();
  }

  @Test
  void aLeaderThatSleptCountsAnew() {
    detector.startLeading();
    pass(1500, 1, 2);
    clock.advanceMillis(60_000);
    assertThat(detector.lost()).isEmpty();
    pass(1900, 1);
    assertThat(detector.lost()).isEmpty();
    pass(100, 1);
    assertThat(detector.lost()).containsExactly(member(2, 1));
  }

  @Test
  void hostsThatDieWithinAHeartbeatOfEachOtherAreLostTogether() {
    cluster = TestCluster.of(2, 3);
    detector = new FailureDetector(clock, T);
    detector.observe(cluster.view());
    hear(1, 2, 3);
    detector.startLeading();
    pass(300, 1, 2);
    pass(1700, 1);
    assertThat(detector.lost()).isEmpty();
    pass(300, 1);
    assertThat(detector.lost()).containsExactly(member(2, 1), member(3, 1));
  }

  @Test
  void aWaveringHostDelaysTheOthersLossOnlyALittle() {
    cluster = TestCluster.of(2, 3);
    detector = new FailureDetector(clock, T);
    detector.observe(cluster.view());
    hear(1, 2, 3);
    detector.startLeading();
    pass(900, 1, 2);
    pass(1500, 1);
    assertThat(detector.lost()).isEmpty();
    pass(100, 1);
    assertThat(detector.lost()).containsExactly(member(3, 1));
  }
}
