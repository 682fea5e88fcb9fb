package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** Identity of an operation across retries: the session that asked, and its number there. */
public record OperationId(long session, long sequence) {
  public static final OperationId NONE = new OperationId(0, 0);

  public void writeTo(ByteWriter out) {
    out.i64(session).i64(sequence);
  }

  public static OperationId readFrom(ByteReader in) {
    return new OperationId(in.i64(), in.i64());
  }
}
