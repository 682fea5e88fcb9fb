package org.trefoilfs.replication.statelog.lease;

import java.util.List;

/**
 * What a command is about to change, of what sessions may have leased.
 *
 * @param session whose command it is; 0: nobody's
 * @param sequence of the command among those of its session
 * @param oldestPending commands of the session below this one have been answered, and whoever asked
 *     for them has the answer
 * @param keys names for rows of the state, as {@link
 *     org.trefoilfs.replication.statelog.KeyValueReader#reads} has them
 */
public record Change(long session, long sequence, long oldestPending, List<Long> keys) {
  public Change {
    keys = List.copyOf(keys);
  }
}
