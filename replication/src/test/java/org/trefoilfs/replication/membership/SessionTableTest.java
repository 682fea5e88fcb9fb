package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SessionTableTest {
  private final TestCluster.Clock clock = new TestCluster.Clock();
  private final SessionTable table = new SessionTable(clock);
  private static final List<Long> BOTH = List.of(1L, 2L);

  private void pass(long millis, long... pinging) {
    for (long left = millis; left > 0; left -= 500) {
      clock.advanceMillis(500);
      for (long session : pinging) {
        table.pinged(session, 100 + session);
      }
      table.expired(BOTH);
    }
  }

  @Test
  void aSilentSessionExpiresAMarginAfterItsLease() {
    table.startLeading();
    table.pinged(2, 0);
    pass(10_000, 1);
    assertThat(table.expired(BOTH)).isEmpty();
    pass(500, 1);
    assertThat(table.expired(BOTH)).containsExactly(2L);
  }

  @Test
  void aSessionOpenedLateInATermHasAWholeLeaseForItsFirstPing() {
    table.startLeading();
    for (int second = 0; second < 60; second++) {
      clock.advanceMillis(1_000);
      assertThat(table.expired(List.of())).isEmpty();
    }
    clock.advanceMillis(50);
    assertThat(table.expired(BOTH)).isEmpty();
    table.pinged(1, 0);
    pass(10_000, 1);
    assertThat(table.expired(BOTH)).isEmpty();
    pass(500, 1);
    assertThat(table.expired(BOTH)).containsExactly(2L);
  }

  @Test
  void anExpiredSessionIsNotRevivedByALatePing() {
    table.startLeading();
    pass(10_500, 1);
    assertThat(table.expired(BOTH)).containsExactly(2L);
    assertThat(table.pinged(2, 0)).isFalse();
    assertThat(table.pinged(1, 0)).isTrue();
    assertThat(table.expired(BOTH)).containsExactly(2L);
    assertThat(table.expired(List.of(1L))).isEmpty();
  }

  @Test
  void aNewLeaderGivesEverySessionAWholeLease() {
    table.startLeading();
    pass(9_000, 1);
    table.stopLeading();
    assertThat(table.pinged(1, 0)).isFalse();
    pass(5_000);
    assertThat(table.expired(BOTH)).isEmpty();
    table.startLeading();
    pass(10_000);
    assertThat(table.expired(BOTH)).isEmpty();
    pass(500);
    assertThat(table.expired(BOTH)).containsExactly(1L, 2L);
  }

  @Test
  void aLeaderThatSleptCountsAnew() {
    table.startLeading();
    pass(1_000, 1, 2);
    clock.advanceMillis(60_000);
    assertThat(table.expired(BOTH)).isEmpty();
    pass(9_500);
    assertThat(table.expired(BOTH)).isEmpty();
  }

  @Test
  void orphansStayUntilEverySessionHasSpokenToThisLeader() {
    table.startLeading();
    assertThat(table.minimumCursor(List.of())).isEqualTo(Long.MAX_VALUE);
    table.pinged(1, 40);
    assertThat(table.minimumCursor(BOTH)).isEqualTo(Long.MIN_VALUE);
    table.pinged(2, 30);
    assertThat(table.minimumCursor(BOTH)).isEqualTo(30);
    table.startLeading();
    assertThat(table.minimumCursor(BOTH)).isEqualTo(Long.MIN_VALUE);
  }
}
