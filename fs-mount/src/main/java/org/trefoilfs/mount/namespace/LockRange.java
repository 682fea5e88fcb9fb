package org.trefoilfs.mount.namespace;

/**
 * Bytes of a file, up to and with {@code end}, which is {@link Long#MAX_VALUE} where a lock reaches
 * as far as the file ever will.
 */
public record LockRange(long start, long end) {
  public static final LockRange WHOLE = new LockRange(0, Long.MAX_VALUE);

  public LockRange {
    if (start < 0 || end < start) {
      throw Codec.malformed("range from " + start + " to " + end);
    }
  }

  boolean overlaps(LockRange other) {
    return start <= other.end && other.start <= end;
  }

  /** Whether they overlap, or nothing lies between them. */
  boolean touches(LockRange other) {
    return overlaps(other) || isBefore(other) || other.isBefore(this);
  }

  private boolean isBefore(LockRange other) {
    return end < other.start && end + 1 == other.start;
  }

  /** The least range that holds both. */
  LockRange spanning(LockRange other) {
    return new LockRange(Math.min(start, other.start), Math.max(end, other.end));
  }
}
