package org.trefoilfs.replication.journal;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the next segment's file ahead while the syncing thread has nothing else to do. Once the
 * journal recycles, there is nothing left to prepare.
 */
final class SparePreparation implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(SparePreparation.class);

  /** Written in one go: delays a sync that comes meanwhile by a millisecond or two. */
  private static final int STEP_BYTES = 1 << 20;

  private final SegmentPool pool;

  /** The journal's, which guards the pool; not held while the disk works. */
  private final ReentrantLock lock;

  private @Nullable Segment preparing;

  SparePreparation(SegmentPool pool, ReentrantLock lock) {
    this.pool = pool;
    this.lock = lock;
  }

  /** On the syncing thread. True when there is more to do. */
  boolean step() {
    try {
      Segment fresh = file();
      if (fresh == null || !pool.prepare(fresh, STEP_BYTES)) {
        return fresh != null;
      }
      preparing = null;
      lock.lock();
      try {
        pool.giveBack(fresh);
      } finally {
        lock.unlock();
      }
    } catch (IOException e) {
      giveUp(e);
    }
    return false;
  }

  private @Nullable Segment file() throws IOException {
    lock.lock();
    try {
      if (preparing == null && pool.isEmpty()) {
        preparing = pool.create();
      }
      return preparing;
    } finally {
      lock.unlock();
    }
  }

  /** Only speed is lost: the next segment grows as it is written. */
  private void giveUp(IOException cause) {
    LOG.info("no spare journal segment prepared: {}", cause.toString());
    Segment fresh = preparing;
    preparing = null;
    try {
      if (fresh != null) {
        fresh.delete();
      }
    } catch (IOException e) {
      LOG.warn("removing journal segment {}: {}", fresh.path, e.toString());
    }
  }

  /** After the syncing thread has ended. */
  @Override
  public void close() {
    if (preparing != null) {
      SegmentPool.closeQuietly(preparing);
    }
  }
}
