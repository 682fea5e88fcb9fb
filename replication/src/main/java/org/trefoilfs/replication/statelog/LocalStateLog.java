package org.trefoilfs.replication.statelog;

import java.util.Optional;
import org.trefoilfs.replication.membership.HostId;

/** This host's own replica of the state log. It serves only while it leads. */
public interface LocalStateLog extends StateLog {
  /** Whether this host leads and its state holds everything committed before it did. Cheap. */
  boolean isLeader();

  /** Who leads, as far as this host knows. */
  Optional<HostId> leader();
}
