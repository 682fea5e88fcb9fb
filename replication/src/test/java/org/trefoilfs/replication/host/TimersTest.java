package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class TimersTest {
  private final ScheduledExecutorService timer = Timers.start("test", 1);

  @Test
  void whatRunsEndsUninterruptedBeforeStopReturns() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    timer.execute(
        () -> {
          running.countDown();
          while (mayEnd.getCount() > 0 && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(1_000_000);
          }
          interrupted.complete(Thread.currentThread().isInterrupted());
        });
    running.await();
    CompletableFuture<Boolean> endedFirst =
        CompletableFuture.supplyAsync(
            () -> {
              Timers.stop(timer);
              return interrupted.isDone();
            });
    while (!timer.isShutdown()) {
      Thread.onSpinWait();
    }
    mayEnd.countDown();
    assertThat(interrupted.get()).isFalse();
    assertThat(endedFirst.get()).isTrue();
  }

  @Test
  void whatWaitsNeverRuns() {
    AtomicBoolean ran = new AtomicBoolean();
    timer.schedule(() -> ran.set(true), 200, TimeUnit.MILLISECONDS);
    Timers.stop(timer);
    assertThat(timer.isTerminated()).isTrue();
    assertThat(ran).isFalse();
  }
}
