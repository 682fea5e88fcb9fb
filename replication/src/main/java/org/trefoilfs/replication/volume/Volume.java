package org.trefoilfs.replication.volume;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The chunks of one volume, as fs-mount sees them: objects named by a number that is never reused,
 * addressed by byte. Holes read as zeros; there is no end of file here. Futures fail with {@code
 * TrefoilException}: UNAVAILABLE or OUTCOME_UNKNOWN after the configured time, NO_SPACE, CORRUPT,
 * IO.
 */
public interface Volume {
  /** Reads committed bytes. Sees every write that has returned anywhere. May cross chunks. */
  CompletableFuture<ByteBuffer> read(long inode, long offset, int length);

  /**
   * Writes; completes when every in-sync replica holds it. A range across chunks is several writes,
   * each atomic. The buffer must never change: it is kept after completion, until the chunk store
   * holds what it brings.
   */
  CompletableFuture<Void> write(long inode, long offset, ByteBuffer data);

  /**
   * The same write to be tried as often as need be: however many attempts reach the replicas, and
   * whenever, it is applied once, and a late one never over what was written after it.
   */
  default Supplier<CompletableFuture<Void>> prepareWrite(long inode, long offset, ByteBuffer data) {
    return () -> write(inode, offset, data);
  }

  /**
   * Where the range holds anything but zeros, as {@link #read} would find it: whole blocks, cut off
   * at the range's ends, in order, never touching. For {@link #ALLOCATED_MAX} bytes at most.
   */
  CompletableFuture<List<DataRange>> allocated(long inode, long offset, long length);

  /** Bytes for which one call may ask: 256 chunks, an answer of 33 KB at most. */
  long ALLOCATED_MAX = 1L << 30;

  /** Makes the range read as zeros and frees its space. */
  CompletableFuture<Void> punch(long inode, long offset, long length);

  /**
   * Everything that was written through this volume object to the inode is on stable storage at
   * every in-sync replica.
   */
  CompletableFuture<Void> flush(long inode);

  /**
   * The same volume, whose writes count as long as this mount session does: none of them is applied
   * once others have been given what it had. {@link #flush} covers what either has written.
   */
  default Volume inSession(long session) {
    return inSession(() -> session);
  }

  /** As {@link #inSession(long)}; each attempt of a write is made in the session that is now. */
  default Volume inSession(LongSupplier session) {
    return this;
  }

  /** Removes the object's chunks; {@code size} bounds where they can be. */
  CompletableFuture<Void> delete(long inode, long size);
}
