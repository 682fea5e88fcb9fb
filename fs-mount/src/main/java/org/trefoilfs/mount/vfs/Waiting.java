package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** The one place where a call blocks, and for how long at most. */
final class Waiting {
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
