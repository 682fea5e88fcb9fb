package org.trefoilfs.replication.membership;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Keeps the writes of sessions that are over away from a host's groups.
 *
 * <p>A write names the mount session that it belongs to, and is admitted while the newest view
 * known here lists that session. The host tells the leader up to which epoch it is fenced ({@link
 * #fenced}): every session that is not in that epoch's view has no write under way here, and will
 * never have one again. When all hosts that serve are fenced up to the epoch of a session's end,
 * nothing of it is applied any more, and what it had may be given to others. A host that does not
 * serve, because it is down, learns of that epoch before it does again ({@link HostLease}). What a
 * group took over uncommitted from an earlier primary is committed before that group answers reads.
 *
 * <p>Thread-safe.
 */
public final class SessionFence {
  /** Of a write that no mount's lease stands behind: nobody waits for its end. */
  public static final long NO_SESSION = 0;

  private final Supplier<ClusterView> view;
  private final ConcurrentMap<Long, Integer> underWay = new ConcurrentHashMap<>();
  private long fenced;

  public SessionFence(Supplier<ClusterView> view) {
    this.view = view;
  }

  /**
   * A write begins; {@link #ended} must follow.
   *
   * @throws TrefoilException STALE_VIEW when the session is over, or not known here yet
   */
  public void begin(long session) {
    if (session == NO_SESSION) {
      return;
    }
    // Counted before the view is read: a view without the session that comes later sees the count.
    underWay.merge(session, 1, Integer::sum);
    if (!view.get().sessions().containsKey(session)) {
      ended(session);
      throw new TrefoilException(
          Reason.STALE_VIEW,
          "session " + Long.toHexString(session) + " is over, or not known to this host yet");
    }
  }

  public void ended(long session) {
    if (session != NO_SESSION) {
      underWay.computeIfPresent(session, (key, count) -> count == 1 ? null : count - 1);
    }
  }

  /** The epoch up to which this host is fenced; never goes back. */
  public synchronized long fenced() {
    ClusterView now = view.get();
    if (now.sessions().keySet().containsAll(underWay.keySet())) {
      fenced = now.epoch();
    }
    return fenced;
  }
}
