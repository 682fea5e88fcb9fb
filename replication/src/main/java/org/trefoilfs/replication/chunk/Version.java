package org.trefoilfs.replication.chunk;

import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * The last write that a chunk holds: the view it was committed in and its number within the
 * placement group.
 */
public record Version(long view, long n) implements Comparable<Version> {
  public static final Version NONE = new Version(0, 0);

  /** Bytes of an encoded one. */
  public static final int ENCODED_BYTES = 8 + 8;

  public void writeTo(ByteWriter out) {
    out.i64(view).i64(n);
  }

  public static Version readFrom(ByteReader in) {
    return new Version(in.i64(), in.i64());
  }

  @Override
  public int compareTo(Version other) {
    int byNumber = Long.compare(n, other.n);
    return byNumber != 0 ? byNumber : Long.compare(view, other.view);
  }
}
