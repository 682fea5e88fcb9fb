package org.trefoilfs.mount.vfs;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.vfs.HeldLeases.Lease;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * Appends of this mount to files that are written through: none of another mount's comes between
 * where the file ends and the bytes that are put there. The lease for that is kept while appends
 * follow each other, so that a mount which appends alone pays for it once.
 */
final class AppendLeases {
  private final Names names;
  private final TimeSource time;
  private final Waiting waiting;
  private final HeldLeases leases;

  /** At most one of each inode: appending holds the inode's lock alone. */
  private final Map<Long, CompletableFuture<Void>> underWay = new ConcurrentHashMap<>();

  AppendLeases(Names names, TimeSource time, Waiting waiting) {
    this.names = names;
    this.time = time;
    this.waiting = waiting;
    this.leases = new HeldLeases(names, time, new UnderWay(), names::unleaseAppends);
  }

  private final class UnderWay implements HeldLeases.Written {
    @Override
    public CompletableFuture<Void> drained(long inode) {
      CompletableFuture<Void> append = underWay.get(inode);
      return append == null ? CompletableFuture.completedFuture(null) : append.copy();
    }

    @Override
    public boolean holds(long inode) {
      return underWay.containsKey(inode);
    }
  }

  /**
   * Appends while no other mount does. To be called with the inode's lock held alone. IO when the
   * session ends meanwhile: others may have appended at the same place then.
   *
   * @param append is given the session in which alone it may write
   */
  <T> T alone(long inode, LongFunction<T> append) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Lease lease = begin(inode, done);
    try {
      T result = append.apply(lease.session);
      if (names.session() != lease.session) {
        throw new TrefoilException(
            Reason.IO, "the session is over in which was appended to inode " + inode);
      }
      return result;
    } finally {
      lease.used(time.nanoTime());
      underWay.remove(inode, done);
      done.complete(null);
    }
  }

  private Lease begin(long inode, CompletableFuture<Void> done) {
    while (true) {
      Lease lease = leases.get(inode);
      if (lease == null) {
        lease = acquire(inode);
      }
      synchronized (lease) {
        if (!lease.isEnding()) {
          underWay.put(inode, done);
          return lease;
        }
      }
      waiting.<@Nullable Void>change(lease.gone);
    }
  }

  private Lease acquire(long inode) {
    long[] recalled = new long[1];
    long session;
    try {
      session =
          waiting.until(
              () -> {
                long holder = waiting.change(names.leaseAppends(inode));
                if (holder != names.session() && holder != recalled[0]) {
                  recalled[0] = holder;
                  waiting.<@Nullable Void>change(names.recall(inode));
                }
                return holder;
              },
              holder -> holder == names.session());
    } catch (TrefoilException e) {
      leases.doubtful(inode);
      throw e;
    }
    return leases.granted(inode, session, 0);
  }

  /** Gives all back, once no append is under way. */
  CompletableFuture<Void> letGo() {
    return leases.endAll();
  }

  /** The session is over, and its leases with it. */
  void forget() {
    leases.forget();
  }
}
