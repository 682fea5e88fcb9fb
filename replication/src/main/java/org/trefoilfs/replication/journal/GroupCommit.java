package org.trefoilfs.replication.journal;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.TrefoilException;

/**
 * The one thread that syncs. While it waits for the disk, those who ask next gather, and share the
 * next fdatasync.
 */
final class GroupCommit {
  /** What the thread does; called without a lock held. */
  interface Work {
    /** Returns the position that is now stable. */
    long syncAll();

    /** Does a short piece of work that can wait; false when there is none. */
    boolean idle();
  }

  private final Work work;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wake = lock.newCondition();
  private final SyncWaiters waiters = new SyncWaiters();
  private final Thread thread;
  private boolean syncWanted;
  private boolean idleWanted;
  private boolean stopping;
  private @Nullable TrefoilException failure;

  GroupCommit(Work work, String name) {
    this.work = work;
    this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  CompletableFuture<Void> await(long position) {
    lock.lock();
    try {
      if (failure != null) {
        return CompletableFuture.failedFuture(failure);
      }
      wake.signal();
      return waiters.add(position);
    } finally {
      lock.unlock();
    }
  }

  /** Asks for a sync that nobody waits for. */
  void nudge() {
    lock.lock();
    try {
      syncWanted = true;
      wake.signal();
    } finally {
      lock.unlock();
    }
  }

  void nudgeIdle() {
    lock.lock();
    try {
      idleWanted = true;
      wake.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Fails everyone who waits or will. */
  void fail(TrefoilException cause) {
    List<CompletableFuture<Void>> failed;
    lock.lock();
    try {
      failure = cause;
      failed = waiters.takeAll();
    } finally {
      lock.unlock();
    }
    failed.forEach(done -> done.completeExceptionally(cause));
  }

  /** Serves whoever waits, and ends the thread. */
  void stop(TrefoilException closed) {
    lock.lock();
    try {
      stopping = true;
      wake.signal();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    fail(closed);
  }

  private enum Task {
    SYNC,
    IDLE,
    STOP
  }

  private void run() {
    while (true) {
      switch (next()) {
        case SYNC -> syncOnce();
        case IDLE -> idleOnce();
        case STOP -> {
          return;
        }
      }
    }
  }

  private Task next() {
    lock.lock();
    try {
      while (true) {
        if (!waiters.isEmpty() || syncWanted) {
          syncWanted = false;
          return Task.SYNC;
        }
        if (stopping) {
          return Task.STOP;
        }
        if (idleWanted) {
          return Task.IDLE;
        }
        wake.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  private void syncOnce() {
    try {
      complete(work.syncAll());
    } catch (RuntimeException | Error e) {
      fail(TrefoilException.of(e));
    }
  }

  private void idleOnce() {
    boolean more = work.idle();
    lock.lock();
    try {
      idleWanted = more;
    } finally {
      lock.unlock();
    }
  }

  private void complete(long stable) {
    List<CompletableFuture<Void>> served;
    lock.lock();
    try {
      served = waiters.takeServed(stable);
    } finally {
      lock.unlock();
    }
    served.forEach(done -> done.complete(null));
  }
}
