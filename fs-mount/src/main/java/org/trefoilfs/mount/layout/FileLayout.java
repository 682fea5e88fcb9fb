package org.trefoilfs.mount.layout;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;

/** Where a file's bytes lie among its chunks, and how far they can reach. */
public final class FileLayout {
  /** Largest file: chunk indexes are ints, chunks 4 MiB, so 8 PiB less one chunk. */
  public static final long MAX_FILE_SIZE = (long) Integer.MAX_VALUE * ChunkId.SIZE;

  private FileLayout() {}

  /**
   * The first byte after a range. Fails with INVALID for a negative offset, with TOO_LARGE beyond
   * {@link #MAX_FILE_SIZE}.
   */
  public static long end(long offset, long length) {
    if (offset < 0 || length < 0) {
      throw new TrefoilException(
          Reason.INVALID, "range [" + offset + ", +" + length + ") is negative");
    }
    if (length > MAX_FILE_SIZE || offset > MAX_FILE_SIZE - length) {
      throw new TrefoilException(
          Reason.TOO_LARGE,
          "range ["
              + offset
              + ", +"
              + length
              + ") goes beyond the largest file of "
              + MAX_FILE_SIZE
              + " bytes");
    }
    return offset + length;
  }

  /** The end of the chunk that holds the byte before {@code size}; {@code size} when aligned. */
  public static long chunkEnd(long size) {
    long over = size % ChunkId.SIZE;
    return over == 0 ? size : size - over + ChunkId.SIZE;
  }
}
