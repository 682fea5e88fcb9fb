package org.trefoilfs.tools.library;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Waiting for the library's futures on threads that may block. */
final class Waits {
  /** The library gives up by itself after 30 s; this only bounds its defects. */
  private static final Duration LONGEST = Duration.ofSeconds(45);

  private Waits() {}

  static <T> T get(CompletableFuture<T> future) {
    try {
      return future.get(LONGEST.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw TrefoilException.of(e);
    } catch (TimeoutException e) {
      throw new TrefoilException(
          Reason.OUTCOME_UNKNOWN,
          "no answer within " + LONGEST.toSeconds() + " s; look at the status before trying again",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(Reason.OUTCOME_UNKNOWN, "interrupted while waiting", e);
    }
  }
}
