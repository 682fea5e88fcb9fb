package org.trefoilfs.replication.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;

/**
 * Who waits for which position to be on stable storage: the bookkeeping of group commit, without
 * its thread. Not thread-safe; the caller completes what it takes, outside its locks.
 */
public final class SyncWaiters {
  private record Waiter(long position, CompletableFuture<Void> done) {}

  private final PriorityQueue<Waiter> waiters =
      new PriorityQueue<>((a, b) -> Long.compare(a.position(), b.position()));

  /** One more, who waits for everything up to {@code position}. */
  public CompletableFuture<Void> add(long position) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    waiters.add(new Waiter(position, done));
    return done;
  }

  public boolean isEmpty() {
    return waiters.isEmpty();
  }

  /** Those who are served now that everything up to {@code stable} is on stable storage. */
  public List<CompletableFuture<Void>> takeServed(long stable) {
    List<CompletableFuture<Void>> served = new ArrayList<>();
    for (Waiter next = waiters.peek();
        next != null && next.position() <= stable;
        next = waiters.peek()) {
      served.add(waiters.remove().done());
    }
    return served;
  }

  /** Everyone, for a journal that has failed. */
  public List<CompletableFuture<Void>> takeAll() {
    List<CompletableFuture<Void>> all = waiters.stream().map(Waiter::done).toList();
    waiters.clear();
    return all;
  }
}
