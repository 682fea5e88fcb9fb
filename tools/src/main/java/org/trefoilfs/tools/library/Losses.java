package org.trefoilfs.tools.library;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.spool.SpooledRange;

/** Says in the log what was lost. */
final class Losses {
  /** Ranges named in the log; all of them are in the kept spool. */
  private static final int NAMED = 100;

  private static final Logger LOG = LoggerFactory.getLogger(Losses.class);

  private Losses() {}

  static void log(String mountPoint, List<SpooledRange> lost) {
    long bytes = lost.stream().mapToLong(SpooledRange::length).sum();
    LOG.error(
        "{} bytes that were written at {} and acknowledged are not in the volume: this mount was"
            + " evicted before it could ship them",
        bytes,
        mountPoint);
    for (SpooledRange range : lost.subList(0, Math.min(NAMED, lost.size()))) {
      LOG.error("  inode {}: bytes {} to {}", range.inode(), range.offset(), range.end());
    }
    if (lost.size() > NAMED) {
      LOG.error("  and {} more ranges", lost.size() - NAMED);
    }
  }

  static void logKept(SpoolDirectory kept) {
    LOG.error(
        "they are kept in {}; see: trefoil lost list, trefoil lost export {}",
        kept.path(),
        kept.id());
  }
}
