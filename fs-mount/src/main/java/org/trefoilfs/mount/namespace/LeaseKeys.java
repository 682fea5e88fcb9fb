package org.trefoilfs.mount.namespace;

/**
 * What rows are called where sessions lease them ({@link
 * org.trefoilfs.replication.statelog.lease.ReadLeases}): an inode by its number, a name by a hash.
 * Of two names with one hash, a change of either revokes both.
 */
final class LeaseKeys {
  private LeaseKeys() {}

  /** Everything about an inode: attributes, extended attributes, a directory's entries. */
  static long inode(long number) {
    return number << 1;
  }

  /** Which inode a name is of, or that there is none. */
  static long entry(long parent, byte[] name) {
    return entry(parent, name, 0, name.length);
  }

  static long entry(long parent, byte[] bytes, int from, int to) {
    long hash = parent;
    for (int i = from; i < to; i++) {
      hash = mix(hash ^ (bytes[i] & 0xff));
    }
    return mix(hash ^ (to - from)) | 1;
  }

  /** The finalizer of SplittableRandom (Steele, Lea, Flood, OOPSLA 2014). */
  private static long mix(long z) {
    long a = (z + 0x9E3779B97F4A7C15L ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ a >>> 27) * 0x94D049BB133111EBL;
    return b ^ b >>> 31;
  }
}
