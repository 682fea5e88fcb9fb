package org.trefoilfs.replication.volume;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
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

  /** As often an attempt's time is doubled at most: by then it is that of a very slow disk. */
  private static final int DOUBLINGS = 3;

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

  /**
   * Attempts of which each may take twice as long as the one before that was not answered in time.
   * What waits its turn at a host that is slow would else be sent again and again, and each answer
   * come when nobody waits for it any more. Of a host that is lost the calls fail at once anyhow.
   *
   * @param attempt is given its time
   */
  <T> CompletableFuture<T> runLonger(Function<Duration, CompletableFuture<T>> attempt) {
    Patience patience = new Patience(cluster.attempt());
    return run(
        () -> {
          long began = cluster.nanoTime();
          Duration given = withinDeadline(patience.now, began);
          return attempt
              .apply(given)
              .whenComplete(
                  (_, failure) -> {
                    if (failure != null && cluster.nanoTime() - began >= given.toNanos()) {
                      patience.grow();
                    }
                  });
        });
  }

  /** The last one may outlast it, as any, but not because it was given more. */
  private Duration withinDeadline(Duration patience, long now) {
    Duration left = Duration.ofNanos(deadline - now);
    Duration least = cluster.attempt();
    Duration most = left.compareTo(least) < 0 ? least : left;
    return patience.compareTo(most) < 0 ? patience : most;
  }

  private static final class Patience {
    private Duration now;
    private int left = DOUBLINGS;

    Patience(Duration first) {
      now = first;
    }

    void grow() {
      if (left-- > 0) {
        now = now.multipliedBy(2);
      }
    }
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
