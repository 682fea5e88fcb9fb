package org.trefoilfs.replication.commit;

import org.trefoilfs.replication.chunk.Version;

/** Where the outcome of a write goes. Exactly one method is called, once. */
public interface WriteReply {
  /** Every in-sync member holds the write. */
  void committed(Version version);

  /**
   * See {@code Reason}: STALE_VIEW, UNAVAILABLE and BUSY mean not done here; OUTCOME_UNKNOWN is
   * what it says.
   */
  void failed(org.trefoilfs.replication.TrefoilException why);
}
