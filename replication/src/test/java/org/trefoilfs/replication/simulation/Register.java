package org.trefoilfs.replication.simulation;

import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Version;

/**
 * What the clients know of one block. With one writer, which writes growing numbers, a read must
 * not return less than what was acknowledged or read before it began, nor more than what was begun
 * before it ended. With several writers the history must be linearizable.
 */
final class Register {
  final ChunkId chunk;
  final int pg;
  final int block;

  /** Null with one writer. */
  final BlockHistory history;

  /** The highest number that a write was begun for. */
  long begun;

  /** What must not be lost, but for a loss of power everywhere. */
  long settled;

  /** What must never be lost. */
  long flushed;

  /** The last write that was acknowledged, where there is one writer. */
  Acknowledged acknowledged = Acknowledged.NOTHING;

  /**
   * @param version as which it is committed, or a later one
   * @param losses when it was acknowledged, see {@link Register#losses}
   */
  record Acknowledged(long value, Version version, int losses) {
    static final Acknowledged NOTHING = new Acknowledged(0, Version.NONE, 0);
  }

  /** Writes under way. */
  int writing;

  /** Grows when what was not flushed may be lost. */
  int losses;

  Register(ChunkId chunk, int pg, int block, boolean manyWriters) {
    this.chunk = chunk;
    this.pg = pg;
    this.block = block;
    history = manyWriters ? new BlockHistory() : null;
  }

  boolean mayWrite() {
    return writing < (history == null ? 1 : 3);
  }

  void mayBeLost(long now) {
    losses++;
    settled = flushed;
    if (history != null) {
      history.check(toString());
      history.mayBeLost(now);
    }
  }

  @Override
  public String toString() {
    return chunk + "/" + block;
  }
}
