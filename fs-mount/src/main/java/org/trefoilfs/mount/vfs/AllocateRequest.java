package org.trefoilfs.mount.vfs;

import org.trefoilfs.mount.layout.FileLayout;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** What fallocate(2) may ask for here. Space itself is never reserved. */
public sealed interface AllocateRequest {
  /** The file becomes at least so long. */
  record Grow(long end) implements AllocateRequest {}

  /** FALLOC_FL_KEEP_SIZE alone: nothing to do where nothing is reserved. */
  record Keep() implements AllocateRequest {}

  /** FALLOC_FL_PUNCH_HOLE: what there is of the range becomes a hole. */
  record Punch(long offset, long length) implements AllocateRequest {}

  /**
   * FALLOC_FL_ZERO_RANGE: as {@link Punch}, since zeros take no space here.
   *
   * @param grows whether the file becomes at least so long as to hold the range
   */
  record Zero(long offset, long length, boolean grows) implements AllocateRequest {}

  /** FALLOC_FL_* of linux/falloc.h. */
  int KEEP_SIZE = 0x01;

  int PUNCH_HOLE = 0x02;
  int ZERO_RANGE = 0x10;

  /** Fails with NOT_SUPPORTED for other modes. */
  static AllocateRequest of(int mode, long offset, long length) {
    long end = FileLayout.end(offset, length);
    return switch (mode) {
      case 0 -> new Grow(end);
      case KEEP_SIZE -> new Keep();
      case PUNCH_HOLE | KEEP_SIZE -> new Punch(offset, length);
      case ZERO_RANGE -> new Zero(offset, length, true);
      case ZERO_RANGE | KEEP_SIZE -> new Zero(offset, length, false);
      default ->
          throw new TrefoilException(
              Reason.NOT_SUPPORTED,
              "fallocate mode "
                  + mode
                  + " is not supported; 0, KEEP_SIZE, PUNCH_HOLE and ZERO_RANGE are");
    };
  }
}
