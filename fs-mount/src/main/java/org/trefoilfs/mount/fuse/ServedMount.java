package org.trefoilfs.mount.fuse;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** What the handles of all transports share: how a mount is taken away, and when it is gone. */
public abstract class ServedMount implements MountHandle {
  /**
   * Requests without a waiting process that the kernel has under way at most; its default is 12.
   */
  protected static final int MAX_BACKGROUND = 64;

  /** From so many on the kernel holds back read-ahead. */
  protected static final int CONGESTION_THRESHOLD = MAX_BACKGROUND * 3 / 4;

  private static final Logger log = LoggerFactory.getLogger(ServedMount.class);

  /** How long a detached mount may take to be let go when unmounting. */
  private static final Duration STOP = Duration.ofSeconds(5);

  private final Path path;
  private final CallStatistics statistics;
  private final CountDownLatch ended = new CountDownLatch(1);

  protected ServedMount(Path path, CallStatistics statistics) {
    this.path = path;
    this.statistics = statistics;
  }

  /** The kernel has said that the mount is gone; said again, it changes nothing. */
  protected final synchronized void ended() {
    if (mounted()) {
      log.info("unmounted {}", path);
      ended.countDown();
    }
  }

  @Override
  public final Path mountPoint() {
    return path;
  }

  @Override
  public final void unmount() {
    if (!mounted()) {
      return;
    }
    try {
      Unmounter.unmount(path, Unmounter.Manner.PLAIN);
    } catch (TrefoilException e) {
      if (e.reason() == Reason.BUSY) {
        log.warn("{}; detached now", e.getMessage());
        Unmounter.unmount(path, Unmounter.Manner.LAZY);
      } else if (e.reason() != Reason.NOT_FOUND) {
        throw e;
      }
    }
    try {
      if (!awaitExit(STOP)) {
        log.warn("{} is detached but still in use, and served", path);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public final boolean mounted() {
    return ended.getCount() > 0;
  }

  @Override
  public final boolean awaitExit(Duration timeout) throws InterruptedException {
    return ended.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public final CallStatistics statistics() {
    return statistics;
  }
}
