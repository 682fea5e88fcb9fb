package org.trefoilfs.replication.spool;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.spool.Spool.Batch;
import org.trefoilfs.replication.spool.Spool.Report;
import org.trefoilfs.replication.spool.Spool.Work;

/**
 * Brings a spool's writes to the replicas, and their sizes and times to the namespace, as {@link
 * Spool#next} gives them out.
 *
 * <p>What fails is tried again for ever: it was acknowledged. Whoever finds out that it is in vain,
 * because the session is over, calls {@link #stop}.
 */
public final class Shipper {
  private static final Logger log = LoggerFactory.getLogger(Shipper.class);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  private final Spool spool;
  private final Sink sink;
  private boolean stepping;
  private boolean again;
  private boolean stopped;

  /** Where writes go. Futures may fail with {@link TrefoilException}; each is tried again. */
  public interface Sink {
    /**
     * A write, each of whose attempts is the same one to the replicas: a late attempt must not be
     * applied over what was written after an earlier one.
     */
    Supplier<? extends CompletableFuture<?>> write(Batch batch);

    /** Tells the namespace a file's size and times. */
    CompletableFuture<?> tell(Report report);

    CompletableFuture<?> pause(Duration pause);
  }

  public Shipper(Spool spool, Sink sink) {
    this.spool = spool;
    this.sink = sink;
  }

  /** Ships nothing any more; what is on its way may still arrive. */
  public synchronized void stop() {
    stopped = true;
  }

  private synchronized boolean isStopped() {
    return stopped;
  }

  /**
   * Something was put into the spool, or is done: starts all that may go. One thread at a time, so
   * what completes at once makes no recursion.
   */
  public void wake() {
    synchronized (this) {
      again = true;
      if (stepping) {
        return;
      }
      stepping = true;
    }
    while (true) {
      Optional<Work> work;
      synchronized (this) {
        if (!again || stopped) {
          stepping = false;
          return;
        }
        work = spool.next();
        again = work.isPresent();
      }
      work.ifPresent(this::start);
    }
  }

  private void start(Work work) {
    switch (work) {
      case Batch batch -> attempt(new Write(batch), () -> spool.shipped(batch), FIRST_PAUSE);
      case Report report -> attempt(() -> sink.tell(report), () -> spool.told(report), FIRST_PAUSE);
    }
  }

  /** The attempts of a batch; prepared by the first that can be. */
  private final class Write implements Supplier<CompletableFuture<?>> {
    private final Batch batch;
    private @Nullable Supplier<? extends CompletableFuture<?>> attempts;

    Write(Batch batch) {
      this.batch = batch;
    }

    @Override
    public CompletableFuture<?> get() {
      if (attempts == null) {
        attempts = sink.write(batch);
      }
      return attempts.get();
    }
  }

  private void attempt(
      Supplier<? extends CompletableFuture<?>> action, Runnable done, Duration pause) {
    CompletableFuture<?> started;
    try {
      started = action.get();
    } catch (RuntimeException e) {
      started = CompletableFuture.failedFuture(e);
    }
    started.whenComplete(
        (result, failure) -> {
          if (failure == null) {
            done.run();
            wake();
          } else {
            retryLater(failure, action, done, pause);
          }
        });
  }

  private void retryLater(
      Throwable failure,
      Supplier<? extends CompletableFuture<?>> action,
      Runnable done,
      Duration pause) {
    log.warn(
        "an acknowledged write could not be shipped yet: {}",
        TrefoilException.of(failure).getMessage());
    Duration doubled = pause.multipliedBy(2);
    Duration next = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
    sink.pause(pause)
        .whenComplete(
            (over, interrupted) -> {
              if (!isStopped()) {
                attempt(action, done, next);
              }
            });
  }
}
