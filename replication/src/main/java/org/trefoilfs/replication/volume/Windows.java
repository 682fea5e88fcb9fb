package org.trefoilfs.replication.volume;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.trefoilfs.replication.chunk.ChunkId;

/** Works through a range that may span very many chunks, a bounded number of them at a time. */
final class Windows {
  /** Chunks under way at once. */
  private static final int CHUNKS = 64;

  private final long end;
  private final CompletableFuture<Void> done = new CompletableFuture<>();
  private long next;

  /** A part of the range, in bytes. */
  record Range(long offset, long length) {}

  Windows(long offset, long length) {
    this.next = offset;
    this.end = offset + length;
  }

  CompletableFuture<Void> run(Function<Range, CompletableFuture<Void>> work) {
    if (next >= end) {
      done.complete(null);
      return done;
    }
    long start = next;
    long chunkStart = start - start % ChunkId.SIZE;
    next = Math.min(end, chunkStart + (long) CHUNKS * ChunkId.SIZE);
    // Asynchronous, lest parts that complete at once pile up on the stack.
    work.apply(new Range(start, next - start))
        .whenCompleteAsync(
            (_, failure) -> {
              if (failure == null) {
                run(work);
              } else {
                done.completeExceptionally(failure);
              }
            });
    return done;
  }
}
