package org.trefoilfs.mount.namespace;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * flock(2) and fcntl(2) locks of a volume, as a mount asks for them in one session; committed, and
 * failing, as {@link Names} are. What a session has goes with it, once its late writes are kept out
 * everywhere.
 */
public interface Locks {
  long session();

  /**
   * HELD, or WAITING if others are in the way and there is a ticket; the ticket then says which
   * request it is. Without one (0) it fails with WOULD_BLOCK. DEADLOCK, NO_LOCKS, NOT_FOUND.
   */
  CompletableFuture<LockStatus> lock(long inode, LockRequest request, long ticket);

  /** HELD while the owner has anything left in the file, else NONE. */
  CompletableFuture<LockStatus> unlock(long inode, LockKind kind, long owner, LockRange range);

  /** Ends a wait: NONE, or HELD when the lock was granted before. */
  CompletableFuture<LockStatus> withdraw(long inode, long ticket);

  /**
   * Asks to be let past requests that came before and wait, too: HELD or WAITING.
   *
   * @param times past those that have been overtaken less often than this
   */
  CompletableFuture<LockStatus> overtake(long inode, long ticket, int times);

  /** A lock of somebody else's that is in the way of this one. */
  CompletableFuture<Optional<HeldLock>> test(long inode, LockRequest request);

  /**
   * Tickets beyond {@code after} that wait still, in order, at most {@link Limits#BATCH}. STALE
   * when the session is over.
   */
  CompletableFuture<List<Long>> waiting(long after);
}
