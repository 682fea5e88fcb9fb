package org.trefoilfs.mount.namespace;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Locks through the state log. */
final class StateLogLocks implements Locks {
  private final SessionLog log;
  private final int volume;
  private final long session;

  StateLogLocks(SessionLog log, int volume, long session) {
    this.log = log;
    this.volume = volume;
    this.session = session;
  }

  @Override
  public long session() {
    return session;
  }

  @Override
  public CompletableFuture<LockStatus> lock(long inode, LockRequest request, long ticket) {
    return change(new Operation.Lock(inode, request, ticket), "lock", inode);
  }

  @Override
  public CompletableFuture<LockStatus> unlock(
      long inode, LockKind kind, long owner, LockRange range) {
    return change(new Operation.Unlock(inode, kind, owner, range), "unlock", inode);
  }

  @Override
  public CompletableFuture<LockStatus> withdraw(long inode, long ticket) {
    return change(new Operation.WithdrawLock(inode, ticket), "stop waiting for a lock of", inode);
  }

  @Override
  public CompletableFuture<LockStatus> overtake(long inode, long ticket, int times) {
    Operation overtake = new Operation.OvertakeLock(inode, ticket, times);
    return change(overtake, "overtake others that wait for a lock of", inode);
  }

  @Override
  public CompletableFuture<Optional<HeldLock>> test(long inode, LockRequest request) {
    return log.ask(
        new Query.TestLock(volume, session, inode, request),
        reply -> ((Reply.Blocker) reply).lock(),
        () -> "look at the locks of inode " + inode);
  }

  @Override
  public CompletableFuture<List<Long>> waiting(long after) {
    return log.ask(
        new Query.LockWaits(session, after),
        reply -> ((Reply.Numbers) reply).values(),
        () -> "ask which locks are waited for");
  }

  private CompletableFuture<LockStatus> change(Operation operation, String verb, long inode) {
    return log.change(
        operation, reply -> ((Reply.LockIs) reply).status(), () -> verb + " inode " + inode);
  }
}
