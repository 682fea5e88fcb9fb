package org.trefoilfs.replication.commit;

import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.OperationId;

/**
 * A write in a group's log.
 *
 * @param position of its record in the journal
 */
public record Entry(
    int pg, Version version, OperationId operation, Mutation mutation, long position) {
  public long n() {
    return version.n();
  }
}
