package org.trefoilfs.replication.volume;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Flushes of one inode, one at a time. Whoever asks while one runs waits for the next, which all
 * who wait share: the one that runs has taken over what was written before, and may fail or have
 * begun before a write of the one who asks.
 */
final class Flushes {
  private final Map<Long, Queue> queues = new HashMap<>();

  private static final class Queue {
    @Nullable CompletableFuture<Void> next;
  }

  /** Runs {@code flush} now, or after the one that runs for this inode. */
  CompletableFuture<Void> after(long inode, Supplier<CompletableFuture<Void>> flush) {
    synchronized (this) {
      Queue queue = queues.get(inode);
      if (queue != null) {
        if (queue.next == null) {
          queue.next = new CompletableFuture<>();
        }
        return queue.next;
      }
      queues.put(inode, new Queue());
    }
    return run(inode, flush, new CompletableFuture<>());
  }

  private CompletableFuture<Void> run(
      long inode, Supplier<CompletableFuture<Void>> flush, CompletableFuture<Void> result) {
    start(flush)
        .whenComplete(
            (_, failure) -> {
              runNext(inode, flush);
              if (failure == null) {
                result.complete(null);
              } else {
                result.completeExceptionally(failure);
              }
            });
    return result;
  }

  private static CompletableFuture<Void> start(Supplier<CompletableFuture<Void>> flush) {
    try {
      return flush.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void runNext(long inode, Supplier<CompletableFuture<Void>> flush) {
    CompletableFuture<Void> waiting;
    synchronized (this) {
      Queue queue = queues.get(inode);
      waiting = queue == null ? null : queue.next;
      if (queue == null || waiting == null) {
        queues.remove(inode);
        return;
      }
      queue.next = null;
    }
    run(inode, flush, waiting);
  }
}
