package org.trefoilfs.replication.spool;

import java.nio.ByteBuffer;

/**
 * A write that was acknowledged before the replicas had it.
 *
 * @param number its place in the order of the spool's writes, from 1
 * @param data from position to limit; never changed afterwards
 * @param wallNanos modification time that it gives the file, since the epoch
 * @param clearsSetId whether the writer was not privileged: set-id bits of the file go
 */
public record SpooledWrite(
    long number, long inode, long offset, ByteBuffer data, long wallNanos, boolean clearsSetId) {
  public int length() {
    return data.remaining();
  }

  public long end() {
    return offset + length();
  }
}
