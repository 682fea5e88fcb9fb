package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * Number of a host in its cluster, from 1, given by the state log when it joins and never reused.
 */
public record HostId(int value) implements Comparable<HostId> {
  public HostId {
    if (value < 1) {
      throw new IllegalArgumentException("host id " + value + " is below 1");
    }
  }

  public void writeTo(ByteWriter out) {
    out.i32(value);
  }

  public static HostId readFrom(ByteReader in) {
    int value = in.i32();
    if (value < 1) {
      throw new TrefoilException(Reason.INVALID, "malformed record: host id " + value);
    }
    return new HostId(value);
  }

  @Override
  public int compareTo(HostId other) {
    return Integer.compare(value, other.value);
  }

  @Override
  public String toString() {
    return "h" + value;
  }
}
