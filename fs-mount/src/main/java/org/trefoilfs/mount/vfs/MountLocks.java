package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.InheritedLock;
import org.trefoilfs.mount.namespace.LockOwner;
import org.trefoilfs.mount.namespace.LockRange;
import org.trefoilfs.mount.namespace.LockRequest;
import org.trefoilfs.mount.namespace.LockStatus;
import org.trefoilfs.mount.namespace.Locks;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.vfs.HeldLocks.Key;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/** flock(2) and fcntl(2) locks at one mount. Nothing here blocks. */
public final class MountLocks {
  static final Duration RETRY = Duration.ofMillis(100);

  private final Names names;
  private final HandleTable handles;
  private final Duration timeout;
  private final HeldLocks held;
  private final LockWaiters waiters;
  private final AtomicLong lastTicket = new AtomicLong();
  private final LockCleaning cleaning = new LockCleaning(this);

  private volatile boolean served = true;

  /**
   * @param handles what an earlier daemon had open
   */
  MountLocks(Names names, TimeSource time, Duration timeout, HandleTable handles) {
    this.names = names;
    this.handles = handles;
    this.held = new HeldLocks(handles);
    this.timeout = timeout;
    this.waiters = new LockWaiters(this, time);
  }

  /** Not begun before its {@link PendingLock#start}. */
  PendingLock request(long inode, long handle, LockRequest request, LockPatience patience) {
    Key key = new Key(inode, request.kind(), request.owner());
    long ticket = patience == LockPatience.WAIT ? lastTicket.incrementAndGet() : 0;
    return new PendingLock(this, key, handle, request, ticket);
  }

  CompletableFuture<Void> unlock(Key key, LockRange range) {
    long lastGrant = held.lastGrant(key);
    if (lastGrant == 0) {
      return CompletableFuture.completedFuture(null);
    }
    return current()
        .unlock(key.inode(), key.kind(), key.owner(), range)
        .thenAccept(
            left -> {
              if (left == LockStatus.NONE) {
                held.forget(key, lastGrant);
              }
              waiters.poll();
            });
  }

  /** The owner has closed one of its descriptors, or is gone: all that it has of the file goes. */
  CompletableFuture<Void> closed(Key key) {
    long lastGrant = held.lastGrant(key);
    if (lastGrant == 0) {
      return cleaning.done(key);
    }
    held.forget(key, lastGrant);
    return cleaning.start(key, LockRange.WHOLE, 0);
  }

  /** The last descriptor of an open file description is gone. */
  CompletableFuture<Void> released(long handle) {
    held.closed(handle);
    return CompletableFuture.allOf(
        held.by(handle).stream().map(this::closed).toArray(CompletableFuture[]::new));
  }

  /** IO when a lock that was got by this handle has been lost: others may have written since. */
  void checkLost(long handle) {
    if (held.isLost(handle)) {
      throw new TrefoilException(
          Reason.IO,
          "this mount was evicted, and a lock of this open file was lost with its session; close"
              + " the file and open it again");
    }
  }

  /**
   * The session that has the locks of this open file, if it has any: writes under them must be its
   * own, as they would come over those of others, once it is over and was replaced. IO as above.
   */
  OptionalLong session(long handle) {
    OptionalLong session = held.session(handle);
    checkLost(handle);
    return session;
  }

  /** An earlier session's locks are this one's. */
  public void inherited(List<InheritedLock> locks) {
    for (InheritedLock one : locks) {
      Set<Long> by =
          handles.left().stream()
              .filter(open -> open.inode() == one.inode())
              .map(HandleTable.Open::handle)
              .collect(Collectors.toSet());
      LockOwner owner = one.lock().owner();
      held.inherited(new Key(one.inode(), owner.kind(), owner.id()), by, owner.session());
    }
  }

  /** An earlier session ran out, and its locks with it, unless another had them by then. */
  public void lost(List<InheritedLock> left) {
    Set<Long> kept = left.stream().map(InheritedLock::inode).collect(Collectors.toSet());
    handles.leftLocked().stream()
        .filter(open -> !kept.contains(open.inode()))
        .forEach(open -> held.lost(open.handle()));
  }

  /** The session is over, and its locks with it; requests that wait go on in the next session. */
  public void evicted() {
    held.evicted(names.session());
  }

  /** The mount is gone, and nobody is left to answer. */
  public void ended() {
    served = false;
    waiters.all().forEach(PendingLock::interrupt);
  }

  // ---- what a pending lock needs

  boolean isServed() {
    return served;
  }

  Duration timeout() {
    return timeout;
  }

  Locks current() {
    return names.locks();
  }

  HeldLocks held() {
    return held;
  }

  LockWaiters waiters() {
    return waiters;
  }

  void later(Duration pause, Runnable action) {
    new CompletableFuture<@Nullable Void>()
        .completeOnTimeout(null, pause.toNanos(), TimeUnit.NANOSECONDS)
        .thenRun(action);
  }

  LockCleaning cleaning() {
    return cleaning;
  }
}
