package org.trefoilfs.replication.statelog;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.Message;

/** One request on its way through a {@link StateLogRouter}: its attempts, one after another. */
final class RoutedCall {
  private static final long BACKOFF_MIN_MS = 20;
  private static final long BACKOFF_MAX_MS = 100;

  /**
   * The least that an attempt gets. None is begun with less left: a command that then came too late
   * would make the outcome unknown for nothing.
   */
  private static final long ATTEMPT_MIN_NANOS = 50_000_000;

  /** Hints followed without a pause; hosts that point at each other must not spin. */
  private static final int HINTS_IN_A_ROW_MAX = 3;

  private static final int NO_PORT = 0;

  private final StateLogRouter router;
  private final Request request;
  private final StateLogRouter.Timing timing;
  private final long deadlineNanos;
  private final CompletableFuture<byte[]> result = new CompletableFuture<>();

  // Attempts follow each other, so these are never touched by two threads at once.
  private int attempts;
  private int hintsInARow;
  private boolean mayBeApplied;

  /**
   * @param changes whether it is a command: only its outcome can be unknown
   */
  record Request(
      Message message, Function<StateLog, CompletableFuture<byte[]>> inProcess, boolean changes) {}

  RoutedCall(StateLogRouter router, Request request, StateLogRouter.Timing timing) {
    this.router = router;
    this.request = request;
    this.timing = timing;
    this.deadlineNanos = timing.time().nanoTime() + timing.timeout().toNanos();
  }

  CompletableFuture<byte[]> result() {
    return result;
  }

  void attempt() {
    attempts++;
    long left = deadlineNanos - timing.time().nanoTime();
    long longest = Math.max(timing.attempt().toNanos(), ATTEMPT_MIN_NANOS);
    Duration patience = Duration.ofNanos(Math.clamp(left, ATTEMPT_MIN_NANOS, longest));
    CompletableFuture<byte[]> sent;
    try {
      sent = router.send(request, patience);
    } catch (RuntimeException e) {
      sent = CompletableFuture.failedFuture(e);
    }
    CompletableFuture<byte[]> _ = sent.whenComplete(this::answered);
  }

  private void answered(byte @Nullable [] reply, @Nullable Throwable failure) {
    if (failure == null) {
      result.complete(reply);
      return;
    }
    try {
      decide(TrefoilException.of(failure));
    } catch (RuntimeException e) {
      result.completeExceptionally(e);
    }
  }

  private void decide(TrefoilException known) {
    switch (known.reason()) {
      case NOT_LEADER -> follow(known);
      case UNAVAILABLE, REFUSED -> pauseAndRetry(known);
      case OUTCOME_UNKNOWN -> {
        mayBeApplied |= request.changes();
        pauseAndRetry(known);
      }
      default -> result.completeExceptionally(known);
    }
  }

  private void follow(TrefoilException notLeader) {
    Address hint = notLeader.hint().map(text -> Address.parse(text, NO_PORT)).orElse(null);
    if (router.pointedTo(hint) && hintsInARow++ < HINTS_IN_A_ROW_MAX && !expired()) {
      attempt();
    } else {
      pauseAndRetry(notLeader);
    }
  }

  private void pauseAndRetry(TrefoilException cause) {
    hintsInARow = 0;
    long pauseMs = pauseMs();
    if (deadlineNanos - timing.time().nanoTime() < pauseMs * 1_000_000 + ATTEMPT_MIN_NANOS) {
      result.completeExceptionally(gaveUp(cause));
      return;
    }
    try {
      Future<?> _ = timing.scheduler().schedule(this::attempt, pauseMs, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(gaveUp(cause));
    }
  }

  private boolean expired() {
    return deadlineNanos - timing.time().nanoTime() < ATTEMPT_MIN_NANOS;
  }

  /** Spread by the clock's low bits, so that those who failed together do not return together. */
  private long pauseMs() {
    long spread = ((timing.time().nanoTime() ^ deadlineNanos) * 0x9E3779B97F4A7C15L) >>> 33;
    return BACKOFF_MIN_MS + spread % (BACKOFF_MAX_MS - BACKOFF_MIN_MS + 1);
  }

  private TrefoilException gaveUp(TrefoilException last) {
    String text =
        "the state log gave no answer in "
            + timing.timeout().toMillis()
            + " ms and "
            + attempts
            + " attempts, the last: "
            + last.getMessage();
    return mayBeApplied
        ? new TrefoilException(
            Reason.OUTCOME_UNKNOWN,
            text + "; the command may have been applied: send it again under the same operation id",
            last)
        : new TrefoilException(
            Reason.UNAVAILABLE,
            text + "; check that a majority of the voters runs and is reachable",
            last);
  }
}
