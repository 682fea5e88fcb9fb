package org.trefoilfs.replication.statelog;

import java.util.Optional;
import org.trefoilfs.replication.membership.HostId;

/**
 * Who leads the state log.
 *
 * @param leading whether it is this host, ready to serve
 * @param sinceNanos when that last changed, of the monotonic clock
 */
public record LeaderState(boolean leading, Optional<HostId> leader, long term, long sinceNanos) {}
