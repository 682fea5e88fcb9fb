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

  record Punch(long offset, long length) implements AllocateRequest {}

  /** FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE of linux/falloc.h. */
  int KEEP_SIZE = 1;

  int PUNCH_HOLE = 2;

  /** Fails with NOT_SUPPORTED for other modes. */
  static AllocateRequest of(int mode, long offset, long length) {
    long end = FileLayout.end(offset, length);
    return switch (mode) {
      case 0 -> new Grow(end);
      case KEEP_SIZE -> new Keep();
      case KEEP_SIZE | PUNCH_HOLE -> new Punch(offset, length);
      default ->
          throw new TrefoilException(
              Reason.NOT_SUPPORTED,
              "fallocate mode " + mode + " is not supported; 0, KEEP_SIZE and PUNCH_HOLE are");
    };
  }
}
