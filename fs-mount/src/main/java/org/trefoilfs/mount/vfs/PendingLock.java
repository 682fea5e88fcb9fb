package org.trefoilfs.mount.vfs;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.LockRequest;
import org.trefoilfs.mount.namespace.LockStatus;
import org.trefoilfs.mount.namespace.Locks;
import org.trefoilfs.mount.vfs.HeldLocks.Key;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * A request for a lock until it is answered. No thread waits with it. Whatever is granted after the
 * request was given up is let go again.
 */
public final class PendingLock {
  private final MountLocks locks;
  private final Key key;
  private final long handle;
  private final LockRequest request;

  /** By which the namespace knows it while it waits; 0 when it does not. */
  private final long ticket;

  private final CompletableFuture<Void> done = new CompletableFuture<>();
  private boolean interrupted;

  /** Left until the volume itself is taken to be gone. */
  private int retries;

  PendingLock(MountLocks locks, Key key, long handle, LockRequest request, long ticket) {
    this.locks = locks;
    this.key = key;
    this.handle = handle;
    this.request = request;
    this.ticket = ticket;
    this.retries = (int) locks.timeout().dividedBy(MountLocks.RETRY);
  }

  Key key() {
    return key;
  }

  long ticket() {
    return ticket;
  }

  /** Once. Completes when the lock is there; fails as {@link Locks#lock} does, or INTERRUPTED. */
  public CompletableFuture<Void> start() {
    ask();
    return ticket == 0 ? inTime() : done;
  }

  private CompletableFuture<Void> inTime() {
    return done.orTimeout(locks.timeout().toNanos(), TimeUnit.NANOSECONDS)
        .exceptionallyCompose(
            failure ->
                CompletableFuture.failedFuture(
                    failure instanceof TimeoutException
                        ? new TrefoilException(
                            Reason.OUTCOME_UNKNOWN, "no answer within " + locks.timeout(), failure)
                        : failure));
  }

  /** The caller got a signal: it stops waiting, or has the lock already. */
  public void interrupt() {
    Locks waitedAt;
    synchronized (this) {
      if (interrupted) {
        return;
      }
      interrupted = true;
      waitedAt = locks.waiters().remove(this);
    }
    if (waitedAt != null) {
      withdraw(waitedAt);
    } else {
      locks.later(locks.timeout(), () -> fail(Reason.INTERRUPTED));
    }
  }

  /** The caller was gone when it should have been told of the lock. */
  public void undo() {
    locks.cleaning().start(key, request.range(), ticket);
  }

  void ask() {
    if (isInterrupted()) {
      fail(Reason.INTERRUPTED);
      return;
    }
    Locks at = locks.current();
    locks
        .cleaning()
        .done(key)
        .thenCompose(clean -> at.lock(key.inode(), request, ticket))
        .whenComplete((status, failure) -> answered(at, status, failure));
  }

  private synchronized boolean isInterrupted() {
    return interrupted;
  }

  private void answered(Locks at, @Nullable LockStatus status, @Nullable Throwable failure) {
    if (failure != null) {
      refused(TrefoilException.of(failure));
    } else if (status == LockStatus.WAITING) {
      waits(at);
    } else {
      granted(at);
    }
  }

  void granted(Locks at) {
    boolean over = at.session() != locks.current().session();
    if (over || !locks.held().granted(key, handle, at.session())) {
      refused(new TrefoilException(Reason.STALE, "the session that got the lock is over"));
    } else if (!done.complete(null)) {
      undo();
    }
  }

  private void waits(Locks at) {
    synchronized (this) {
      if (!interrupted) {
        locks.waiters().add(this, at);
        return;
      }
    }
    withdraw(at);
  }

  private void withdraw(Locks at) {
    at.withdraw(key.inode(), ticket)
        .whenComplete(
            (status, failure) -> {
              if (status == LockStatus.HELD) {
                granted(at);
              } else {
                fail(Reason.INTERRUPTED);
              }
              if (failure != null) {
                undo();
              }
            });
  }

  private void refused(TrefoilException failure) {
    switch (failure.reason()) {
      case STALE -> {
        if (ticket != 0 && --retries > 0) {
          // If it is the session that is over, the mount gets a new one, and waits on in that.
          locks.later(MountLocks.RETRY, this::ask);
        } else {
          done.completeExceptionally(failure);
        }
      }
      case NOT_FOUND ->
          done.completeExceptionally(
              new TrefoilException(Reason.STALE, "the file is gone", failure));
      case OUTCOME_UNKNOWN, INTERNAL, IO -> {
        undo();
        done.completeExceptionally(failure);
      }
      default -> done.completeExceptionally(failure);
    }
  }

  private void fail(Reason reason) {
    done.completeExceptionally(
        new TrefoilException(reason, "the request for a lock of inode " + key.inode() + " ended"));
  }
}
