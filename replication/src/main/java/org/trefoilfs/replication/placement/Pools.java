package org.trefoilfs.replication.placement;

import org.trefoilfs.replication.chunk.ChunkId;

/**
 * Placement groups are numbered {@code pool << 16 | number}: a pool for each replica count in use,
 * each with 2^k groups. k is fixed when the cluster is created.
 */
public final class Pools {
  /** At most 2^16 groups in a pool, by the numbering. */
  public static final int MAX_BITS = 16;

  private Pools() {}

  /** The group of a chunk in the pool of {@code replicas}. */
  public static int groupOf(ChunkId chunk, int replicas, int bits) {
    long hash = mix(chunk.inode() * 0x9E3779B97F4A7C15L + chunk.index());
    return replicas << 16 | (int) (hash >>> (64 - bits));
  }

  public static int pool(int pg) {
    return pg >>> 16;
  }

  public static int number(int pg) {
    return pg & 0xffff;
  }

  /**
   * Finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every input bit reaches every output
   * bit.
   */
  public static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
