package org.trefoilfs.replication.spool;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * What would be lost if the mounting host died now, and the worst that it has been.
 *
 * @param bytes acknowledged, and not yet held by the replicas
 * @param nanos since the oldest of them was acknowledged; 0 when there are none
 * @param worstBytes most {@code bytes} since the spool was opened
 * @param worstNanos longest that a write has waited for the replicas
 * @param slowedNanos how long writers have waited at the bound, all together
 */
public record SpoolWindow(
    long bytes, long nanos, long worstBytes, long worstNanos, long slowedNanos) {
  /** Bytes of an encoded one. */
  public static final int ENCODED_BYTES = 40;

  public static final SpoolWindow NONE = new SpoolWindow(0, 0, 0, 0, 0);

  public void writeTo(ByteWriter out) {
    out.i64(bytes).i64(nanos).i64(worstBytes).i64(worstNanos).i64(slowedNanos);
  }

  public static SpoolWindow readFrom(ByteReader in) {
    return new SpoolWindow(in.i64(), in.i64(), in.i64(), in.i64(), in.i64());
  }
}
