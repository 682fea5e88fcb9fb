package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads that act by themselves, and how they end: what runs is let end, what waits is dropped,
 * and nothing is interrupted. An interrupt closes the file channel that its thread writes to
 * ({@link java.nio.channels.ClosedByInterruptException}), and a journal rightly takes that for a
 * failed disk.
 */
final class Timers {
  private static final Logger log = LoggerFactory.getLogger(Timers.class);

  /**
   * A task writes some records and waits for one sync at most; disks that hang are not waited for.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private Timers() {}

  static ScheduledExecutorService start(String name, int threads) {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(
            threads, Thread.ofPlatform().name(name + "-", 0).daemon().factory());
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    return timer;
  }

  static void stop(ExecutorService timer) {
    timer.shutdown();
    try {
      if (!timer.awaitTermination(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("a periodic task has not ended within {} s", PATIENCE.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
