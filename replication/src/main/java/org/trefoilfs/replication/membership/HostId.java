package org.trefoilfs.replication.membership;

/**
 * Number of a host in its cluster, from 1, given by the state log when it joins and never reused.
 */
public record HostId(int value) implements Comparable<HostId> {
  public HostId {
    if (value < 1) {
      throw new IllegalArgumentException("host id " + value + " is below 1");
    }
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
