package org.trefoilfs.mount.vfs;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.namespace.LockStatus;
import org.trefoilfs.mount.namespace.Locks;
import org.trefoilfs.mount.vfs.HeldLocks.Key;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Lets go of what nobody is left to let go of: tried again until it is known to have happened. The
 * kernel numbers owners by their address, so a late attempt could hit another process: an owner
 * gets nothing new before.
 */
final class LockCleaning {
  private static final Logger log = LoggerFactory.getLogger(LockCleaning.class);

  private final MountLocks locks;
  private final Map<Key, CompletableFuture<Void>> underWay = new ConcurrentHashMap<>();

  /**
   * What is to go.
   *
   * @param ticket a request that may wait still; 0: none
   */
  private record Remains(Locks at, Key key, LockRange range, long ticket) {
    CompletableFuture<LockStatus> drop() {
      if (ticket == 0) {
        return unlock();
      }
      return at.withdraw(key.inode(), ticket)
          .thenCompose(
              left -> left == LockStatus.NONE ? CompletableFuture.completedFuture(left) : unlock());
    }

    private CompletableFuture<LockStatus> unlock() {
      return at.unlock(key.inode(), key.kind(), key.owner(), range);
    }
  }

  LockCleaning(MountLocks locks) {
    this.locks = locks;
  }

  /** Completes when the owner may be given something. */
  CompletableFuture<Void> done(Key key) {
    return underWay.getOrDefault(key, CompletableFuture.completedFuture(null));
  }

  CompletableFuture<Void> start(Key key, LockRange range, long ticket) {
    Remains remains = new Remains(locks.current(), key, range, ticket);
    CompletableFuture<Void> cleaned = new CompletableFuture<>();
    CompletableFuture<Void> before = underWay.put(key, cleaned);
    if (before == null) {
      attempt(remains, cleaned);
    } else {
      before.thenRun(() -> attempt(remains, cleaned));
    }
    return cleaned;
  }

  private void attempt(Remains remains, CompletableFuture<Void> cleaned) {
    remains
        .drop()
        .whenComplete(
            (left, failure) -> {
              if (failure == null || isOver(failure)) {
                underWay.remove(remains.key, cleaned);
                cleaned.complete(null);
                locks.waiters().poll();
              } else {
                log.debug("locks of {} cannot be let go yet", remains.key, failure);
                locks.later(MountLocks.RETRY, () -> attempt(remains, cleaned));
              }
            });
  }

  /** Whether the locks are gone, or go, with the session or the file. */
  private boolean isOver(Throwable failure) {
    Reason reason = TrefoilException.of(failure).reason();
    return !locks.isServed() || reason == Reason.STALE || reason == Reason.NOT_FOUND;
  }
}
