package org.trefoilfs.replication.volume;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * One call, tried until it succeeds, fails for a reason that trying again cannot mend, or the
 * configured time is over. The placement map is refreshed between attempts.
 */
final class Attempts {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(5);
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(100);

  private final ReplicatedVolume.Cluster cluster;
  private final String what;
  private final long deadline;
  private boolean mayHaveHappened;

  /** How often damage or a failed disk may still be met: another replica is asked then. */
  private int damageLeft;

  private Duration pause = FIRST_PAUSE;

  Attempts(ReplicatedVolume.Cluster cluster, String what) {
    this.cluster = cluster;
    this.what = what;
    this.deadline = cluster.nanoTime() + cluster.timeout().toNanos();
  }

  /** For reads: what one replica cannot give for its disk's sake, another may. */
  Attempts onAnyReplica() {
    damageLeft = 6;
    return this;
  }

  <T> CompletableFuture<T> run(Supplier<CompletableFuture<T>> attempt) {
    CompletableFuture<T> once;
    try {
      once = attempt.get();
    } catch (TrefoilException e) {
      once = CompletableFuture.failedFuture(e);
    }
    return once.exceptionallyCompose(failure -> again(attempt, TrefoilException.of(failure)));
  }

  private <T> CompletableFuture<T> again(
      Supplier<CompletableFuture<T>> attempt, TrefoilException why) {
    mayHaveHappened |= why.reason() == Reason.OUTCOME_UNKNOWN;
    if (!mayBeMended(why.reason()) && !isDamageElsewhere(why.reason())) {
      return CompletableFuture.failedFuture(why);
    }
    if (cluster.nanoTime() + pause.toNanos() - deadline >= 0) {
      Reason reason = mayHaveHappened ? Reason.OUTCOME_UNKNOWN : Reason.UNAVAILABLE;
      return CompletableFuture.failedFuture(
          new TrefoilException(
              reason,
              what + " failed after " + cluster.timeout().toMillis() + " ms: " + why.getMessage(),
              why));
    }
    Duration now = pause;
    pause =
        pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
    return cluster
        .refresh(cluster.placement().epoch())
        .thenCompose(_ -> cluster.pause(now))
        .thenCompose(_ -> run(attempt));
  }

  private boolean isDamageElsewhere(Reason reason) {
    return (reason == Reason.CORRUPT || reason == Reason.IO) && damageLeft-- > 0;
  }

  private static boolean mayBeMended(Reason reason) {
    return switch (reason) {
      case STALE_VIEW, UNAVAILABLE, OUTCOME_UNKNOWN, BUSY, NOT_LEADER -> true;
      default -> false;
    };
  }
}
