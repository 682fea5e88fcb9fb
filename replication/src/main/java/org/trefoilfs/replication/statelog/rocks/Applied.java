package org.trefoilfs.replication.statelog.rocks;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** The last log entry that a state contains. */
public record Applied(long term, long index) {
  /** Nothing applied yet: the log starts at index 0. */
  public static final Applied NONE = new Applied(0, -1);

  byte[] toBytes() {
    return new ByteWriter(16).i64(term).i64(index).toBytes();
  }

  static Applied ofBytes(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    return new Applied(in.i64(), in.i64());
  }
}
