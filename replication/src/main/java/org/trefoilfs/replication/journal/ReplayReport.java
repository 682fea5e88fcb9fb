package org.trefoilfs.replication.journal;

/**
 * What opening a journal found.
 *
 * @param records replayed
 * @param bytes their size, with headers
 * @param end position after the last of them
 * @param droppedBytes what lay behind {@code end} and was dropped: a torn record, and valid ones
 *     behind it
 */
public record ReplayReport(long records, long bytes, long end, long droppedBytes, Loss loss) {
  /** What was lost behind the last record replayed. */
  public enum Loss {
    /** Nothing. */
    NONE,
    /** Bytes that were never known to be on stable storage, as a loss of power leaves them. */
    TORN_TAIL,
    /** Bytes that had been on stable storage: the disk damaged or lost them. */
    DAMAGE
  }

  /** Records that were promised are gone: the host's groups must be fetched from others. */
  public boolean damaged() {
    return loss == Loss.DAMAGE;
  }
}
