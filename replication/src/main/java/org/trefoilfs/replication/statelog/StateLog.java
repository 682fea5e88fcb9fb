package org.trefoilfs.replication.statelog;

import java.util.concurrent.CompletableFuture;

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
}
