package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** The one place where a call blocks, and for how long at most. */
final class Waiting {
  private static final long FIRST_PAUSE_NANOS = 1_000_000;
  private static final long LONGEST_PAUSE_NANOS = 20_000_000;

  private final Duration timeout;

  Waiting(Duration timeout) {
    this.timeout = timeout;
  }

  /** The result of a read; UNAVAILABLE when it does not come in time. */
  <T> T read(CompletableFuture<T> future) {
    return await(future, Reason.UNAVAILABLE);
  }

  /** The result of a change; OUTCOME_UNKNOWN when it does not come in time. */
  <T extends @Nullable Object> T change(CompletableFuture<T> future) {
    return await(future, Reason.OUTCOME_UNKNOWN);
  }

  private <T extends @Nullable Object> T await(CompletableFuture<T> future, Reason late) {
    try {
      return future.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new TrefoilException(
          late, "no answer within " + timeout + "; are enough hosts up? see `trefoil status`", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(late, "interrupted while waiting for an answer", e);
    } catch (ExecutionException e) {
      throw TrefoilException.of(e);
    }
  }

  /** Asks again until the answer is as wanted; UNAVAILABLE when it is not in time. */
  <T> T until(Supplier<T> ask, Predicate<T> wanted) {
    long deadline = System.nanoTime() + timeout.toNanos();
    long pause = FIRST_PAUSE_NANOS;
    for (T answer = ask.get(); ; answer = ask.get()) {
      if (wanted.test(answer)) {
        return answer;
      }
      if (System.nanoTime() - deadline > 0 || Thread.currentThread().isInterrupted()) {
        throw new TrefoilException(
            Reason.UNAVAILABLE,
            "another mount did not let go of the file within "
                + timeout
                + "; see `trefoil status`");
      }
      LockSupport.parkNanos(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
    }
  }

  /** Takes the lock, or fails with UNAVAILABLE when its holder takes too long. */
  void lock(Lock lock) {
    try {
      if (lock.tryLock(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new TrefoilException(
        Reason.UNAVAILABLE, "another call on the same file has not ended within " + timeout);
  }
}
