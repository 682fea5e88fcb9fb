package org.trefoilfs.replication.statelog.lease;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * The answer to a query of a session that would like to remember it.
 *
 * @param reply of the module
 * @param generation of the session's leases, see {@link LeaseNews}, under which it may remember
 *     what was read until it is told otherwise; 0: it may not
 */
public record LeasedReply(byte[] reply, long generation) {
  public byte[] toBytes() {
    return new ByteWriter(reply.length + 12).i64(generation).blob(reply).toBytes();
  }

  public static LeasedReply of(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    long generation = in.i64();
    return new LeasedReply(in.blob(), generation);
  }
}
