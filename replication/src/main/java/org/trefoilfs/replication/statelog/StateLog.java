package org.trefoilfs.replication.statelog;

import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.lease.LeasedReply;
import org.trefoilfs.replication.statelog.lease.ReadLeases;

/** The replicated state log as its users see it. */
public interface StateLog {
  /**
   * Commits a command by a majority and applies it.
   *
   * @return the module's reply. Fails with the module's own {@code TrefoilException}; with
   *     NOT_LEADER or UNAVAILABLE when nothing was done; with OUTCOME_UNKNOWN when the command may
   *     still be applied
   */
  CompletableFuture<byte[]> submit(byte module, byte[] command);

  /**
   * A linearizable read: sees every command whose submit has returned anywhere. Fails as {@link
   * #submit} does.
   */
  CompletableFuture<byte[]> query(byte module, byte[] query);

  /**
   * As {@link #query}, for a session that leases; see {@link ReadLeases}.
   *
   * @param wanted whether it would like to remember what it is told
   */
  default CompletableFuture<LeasedReply> lease(
      byte module, byte[] query, long session, boolean wanted) {
    return query(module, query).thenApply(reply -> new LeasedReply(reply, 0));
  }

  /**
   * A session's leases go on, and it learns which do not. Fails with NOT_SUPPORTED where none are
   * given.
   */
  default CompletableFuture<LeaseNews> keepLeases(LeaseReport report) {
    return CompletableFuture.failedFuture(
        new TrefoilException(Reason.NOT_SUPPORTED, "this state log gives no leases"));
  }
}
