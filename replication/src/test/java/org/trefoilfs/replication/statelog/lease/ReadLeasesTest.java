package org.trefoilfs.replication.statelog.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/** The steps one by one; whole histories are in fs-mount's LeaseSimulationTest. */
class ReadLeasesTest {
  private static final long A = 1;
  private static final long B = 2;

  private final Clock clock = new Clock();
  private final ReadLeases leases = new ReadLeases(clock);

  private static final class Clock implements TimeSource {
    private long now = 1_000_000_000;

    @Override
    public long nanoTime() {
      return now;
    }

    @Override
    public long wallNanos() {
      return now;
    }
  }

  private void pass(long millis) {
    for (long left = millis; left > 0; left -= 5) {
      clock.now += Duration.ofMillis(5).toNanos();
      leases.tick();
    }
  }

  private CompletableFuture<LeaseNews> report(
      long session, long generation, long number, Long... done) {
    return leases.keep(new LeaseReport(session, generation, number, 1, List.of(done), List.of()));
  }

  private long begin(long session) {
    return report(session, 0, 1).join().generation();
  }

  private ReadLeases.Verdict read(long session, Long... keys) {
    return leases.read(session, true, List.of(keys), leases.changes());
  }

  private CompletableFuture<?> change(long session, Long... keys) {
    return leases.changing(new Change(session, 7, 7, List.of(keys)));
  }

  @Test
  void changeWaitsUntilEachWhoLeasedItHasForgotten() {
    leases.startLeading(1, Duration.ZERO);
    long generation = begin(A);
    begin(B);
    assertThat(read(A, 10L).generation()).isEqualTo(generation);
    read(B, 11L);
    CompletableFuture<LeaseNews> held = report(A, generation, 2);
    CompletableFuture<?> changed = change(B, 10L);
    assertThat(changed).isNotDone();
    LeaseNews news = held.join();
    assertThat(news.revoked()).extracting(LeaseNews.Revocation::key).containsExactly(10L);
    assertThat(news.renewed()).isTrue();
    report(A, generation, 3, news.revoked().getFirst().number());
    assertThat(changed).isCompleted();
    assertThat(change(B, 10L)).as("nobody leased it again").isCompleted();
  }

  @Test
  void whoAsksForWhatIsBeingForgottenWaitsAndGetsNoLease() {
    leases.startLeading(1, Duration.ZERO);
    long generation = begin(A);
    begin(B);
    read(A, 10L);
    CompletableFuture<?> changed = change(B, 10L);
    ReadLeases.Verdict seen = leases.read(3, true, List.of(10L), leases.changes());
    assertThat(seen.clear()).isNotDone();
    assertThat(seen.generation()).isZero();
    assertThat(read(A, 10L).clear()).as("who is to forget does not wait for itself").isCompleted();
    long number = report(A, generation, 2).join().revoked().getFirst().number();
    report(A, generation, 3, number);
    assertThat(seen.clear()).isCompleted();
    assertThat(changed).isCompleted();
  }

  @Test
  void silentSessionIsWaitedForUntilItsLeasesHaveRunOut() {
    leases.startLeading(1, Duration.ZERO);
    begin(A);
    read(A, 10L);
    CompletableFuture<?> changed = change(B, 10L);
    pass(ReadLeases.TERM.toMillis());
    assertThat(changed).isNotDone();
    pass(ReadLeases.MARGIN.toMillis());
    assertThat(changed).isCompleted();
  }

  @Test
  void whoReportsButDoesNotForgetIsNotRenewed() {
    leases.startLeading(1, Duration.ZERO);
    long generation = begin(A);
    read(A, 10L);
    CompletableFuture<?> changed = change(B, 10L);
    long number = 2;
    while (!changed.isDone()) {
      report(A, generation, number++);
      pass(20);
      assertThat(number).as("reports").isLessThan(80);
    }
    LeaseNews anew = report(A, generation, number).join();
    assertThat(anew.generation()).isNotEqualTo(generation);
  }

  @Test
  void reportOfAnotherGenerationEndsNothing() {
    leases.startLeading(1, Duration.ZERO);
    long generation = begin(A);
    read(A, 10L);
    CompletableFuture<LeaseNews> late = report(A, 0, 1);
    pass(50);
    assertThat(late.join()).isEqualTo(new LeaseNews(0, false, List.of()));
    assertThat(change(B, 10L)).isNotDone();
    assertThat(report(A, generation, 2).join().revoked()).hasSize(1);
  }

  @Test
  void releaseThatComesLateReleasesNothing() {
    leases.startLeading(1, Duration.ZERO);
    long generation = begin(A);
    report(A, generation, 3);
    read(A, 10L);
    leases.keep(new LeaseReport(A, generation, 2, 1, List.of(), List.of(10L)));
    assertThat(change(B, 10L)).isNotDone();
  }

  @Test
  void whatChangedSinceTheQueryBeganIsNotLeased() {
    leases.startLeading(1, Duration.ZERO);
    begin(A);
    long before = leases.changes();
    change(B, 10L);
    assertThat(leases.read(A, true, List.of(10L), before).generation()).isZero();
    assertThat(read(A, 10L).generation()).isNotZero();
  }

  @Test
  void newLeaderAnswersNothingBeforeEarlierLeasesHaveRunOut() {
    leases.startLeading(2, Duration.ZERO);
    ReadLeases.Verdict seen = read(A, 10L);
    CompletableFuture<?> changed = change(A, 10L);
    pass(ReadLeases.TERM.toMillis());
    assertThat(seen.clear()).isNotDone();
    assertThat(changed).isNotDone();
    pass(ReadLeases.MARGIN.toMillis());
    assertThat(seen.clear()).isCompleted();
    assertThat(changed).isCompleted();
  }

  @Test
  void whatThePredecessorCannotHaveRenewedIsNotWaitedFor() {
    Duration silence = Duration.ofMillis(200);
    leases.startLeading(2, silence);
    ReadLeases.Verdict seen = read(A, 10L);
    pass(ReadLeases.TERM.minus(silence).toMillis());
    assertThat(seen.clear()).isNotDone();
    pass(ReadLeases.MARGIN.toMillis());
    assertThat(seen.clear()).isCompleted();
  }

  @Test
  void whoIsAboutToHandOverRenewsNothing() {
    leases.startLeading(1, Duration.ZERO);
    long generation = begin(A);
    assertThat(read(A, 10L).generation()).isNotZero();
    leases.stopRenewing();
    pass(ReadLeases.TERM.dividedBy(2).toMillis());
    assertThat(report(A, generation, 2).join().renewed()).isFalse();
    CompletableFuture<?> changed = change(B, 10L);
    pass(ReadLeases.TERM.dividedBy(2).toMillis());
    assertThat(changed).isNotDone();
    pass(ReadLeases.MARGIN.toMillis());
    assertThat(changed).isCompleted();
    CompletableFuture<LeaseNews> anew = report(A, 0, 3);
    pass(10);
    assertThat(anew.join().renewed()).as("begun anew").isFalse();
    assertThat(read(A, 10L).generation()).isZero();
  }

  @Test
  void whoLeadsNoLongerAnswersNothing() {
    leases.startLeading(1, Duration.ZERO);
    begin(A);
    read(A, 10L);
    CompletableFuture<?> changed = change(B, 10L);
    leases.stopLeading();
    assertThatThrownBy(changed::join)
        .cause()
        .isInstanceOfSatisfying(
            TrefoilException.class,
            failure -> assertThat(failure.reason()).isEqualTo(Reason.NOT_LEADER));
  }

  @Test
  void thereIsAMostThatIsLeased() {
    leases.startLeading(1, Duration.ZERO);
    begin(A);
    Long[] keys = LongStream.range(0, ReadLeases.LEASES_MAX).boxed().toArray(Long[]::new);
    assertThat(read(A, keys).generation()).isNotZero();
    assertThat(read(A, -1L).generation()).isZero();
  }
}
