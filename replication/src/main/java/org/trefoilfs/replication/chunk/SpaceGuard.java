package org.trefoilfs.replication.chunk;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/** Keeps the reserve: refuses data before the disk is full, so that deleting still works. */
final class SpaceGuard {
  private static final long MIN_RESERVE = 16L << 20;
  private static final long MAX_RESERVE = 256L << 20;

  /** Admitted between two looks at the disk, at most; others write to it too. */
  private static final long MAX_CREDIT = 4L << 20;

  private final FileStore disk;
  private final AtomicLong credit = new AtomicLong();

  SpaceGuard(Path root) throws IOException {
    this.disk = Files.getFileStore(root);
  }

  Space space() throws IOException {
    long total = disk.getTotalSpace();
    long reserve = Math.max(MIN_RESERVE, Math.min(MAX_RESERVE, total / 20));
    return new Space(total, Math.max(0, disk.getUsableSpace() - reserve));
  }

  /** Whether so many bytes more may be written. */
  boolean admits(long bytes) throws IOException {
    if (bytes <= 0 || credit.addAndGet(-bytes) >= 0) {
      return true;
    }
    long usable = space().usable();
    credit.set(Math.max(0, Math.min(MAX_CREDIT, usable / 4)));
    return bytes <= usable;
  }
}
