package org.trefoilfs.replication.host;

import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * What a host may hold in memory of the data of writes, and how it is shared out:
 *
 * <pre>
 *   half        committed, and waits to be applied to chunks, or for the chunk's image
 *   a quarter   not committed yet: an equal part for this host's writers, and for the primary of
 *               each other host, whose writes it prepares
 *   a quarter   images of chunks that it fetches while it catches up
 * </pre>
 *
 * @param bytes in all, {@link HostOptions.Settings#MIN_WRITE_MEMORY} or more
 */
record PayloadLimits(long bytes) {
  private static final long MIN_BYTES = HostOptions.Settings.MIN_WRITE_MEMORY;

  /**
   * Of the heap: of 256 MiB a host that does nothing needs some 60, and a mount that commits
   * asynchronously without a directory may take a quarter for its spool.
   */
  private static final double OF_HEAP = 0.375;

  PayloadLimits {
    if (bytes < MIN_BYTES) {
      throw new TrefoilException(
          Reason.INVALID,
          "%d bytes for the data of writes are too few; allow %d or more, and a heap of twice that"
              .formatted(bytes, MIN_BYTES));
    }
  }

  /** As chosen, or by this process's heap. */
  static PayloadLimits of(Optional<Long> chosen) {
    long ofHeap = (long) (Runtime.getRuntime().maxMemory() * OF_HEAP);
    return new PayloadLimits(chosen.orElse(Math.max(MIN_BYTES, ofHeap)));
  }

  long backlog() {
    return bytes / 2;
  }

  /** Also the largest request. */
  long fetched() {
    return bytes / 4;
  }

  /**
   * What this host, as primary, may have read and not committed. The other members hold it as well,
   * and must never have to refuse it: two that waited for each other's room would wait for ever.
   *
   * @param hosts of the cluster, which are all taken to allow as much
   */
  long uncommitted(int hosts) {
    return bytes / 4 / Math.max(1, hosts);
  }
}
