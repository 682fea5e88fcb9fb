package org.trefoilfs.replication.spool;

import java.nio.ByteBuffer;
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

/**
 * Brings a spool's writes to the replicas in their order, one at a time: bytes before the size that
 * covers them, all of it before anything that was written later. So what others come to see, should
 * the mounting host die, is what the writer had done at some moment.
 *
 * <p>What fails is tried again for ever: it was acknowledged. Whoever finds out that it is in vain,
 * because the session is over, calls {@link #stop}.
 */
public final class Shipper {
  private static final Logger log = LoggerFactory.getLogger(Shipper.class);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  /** Bytes shipped before the size is told: one commit in the state log for a chunk of bytes. */
  private static final long UNTOLD = 4L << 20;

  private final Spool spool;
  private final Sink sink;
  private boolean busy;
  private boolean stopped;

  /** The batch that was tried, and will be until it succeeds: it does not grow meanwhile. */
  private @Nullable UnderWay underWay;

  private long untoldEnd;
  private long untoldBytes;
  private Duration pause = FIRST_PAUSE;

  /** Where writes go. Futures may fail with {@link TrefoilException}; each is tried again. */
  public interface Sink {
    /**
     * A write, each of whose attempts is the same one to the replicas: a late attempt must not be
     * applied over what was written after an earlier one.
     */
    Supplier<? extends CompletableFuture<?>> write(long inode, long offset, ByteBuffer data);

    /** Tells the namespace the size and times that shipped writes give the file. */
    CompletableFuture<?> tell(Report report);

    CompletableFuture<?> pause(Duration pause);
  }

  private record UnderWay(Batch batch, Supplier<? extends CompletableFuture<?>> attempt) {}

  public Shipper(Spool spool, Sink sink) {
    this.spool = spool;
    this.sink = sink;
  }

  /** Something was put into the spool. */
  public void wake() {
    synchronized (this) {
      if (busy || stopped) {
        return;
      }
      busy = true;
    }
    step();
  }

  /** Ships nothing any more; what is on its way may still arrive. */
  public synchronized void stop() {
    stopped = true;
  }

  /** Goes on until a future is not done yet: no recursion however many are. */
  private void step() {
    while (true) {
      CompletableFuture<?> action = nextAction();
      if (action == null) {
        return;
      }
      if (!action.isDone()) {
        action.whenComplete((done, failure) -> step());
        return;
      }
    }
  }

  private @Nullable CompletableFuture<?> nextAction() {
    Optional<Batch> next;
    Optional<Report> report;
    synchronized (this) {
      next = stopped ? Optional.empty() : spool.next();
      report = stopped ? Optional.empty() : spool.untold();
      if (next.isEmpty() && report.isEmpty()) {
        busy = false;
        return null;
      }
    }
    if (underWay == null
        && report.isPresent()
        && next.filter(batch -> continues(batch, report.get())).isEmpty()) {
      return guarded(() -> sink.tell(report.get()), () -> told(report.get()));
    }
    Batch batch = underWay == null ? next.orElseThrow() : underWay.batch();
    if (underWay == null) {
      underWay = new UnderWay(batch, sink.write(batch.inode(), batch.offset(), batch.data()));
    }
    return guarded(underWay.attempt(), () -> shipped(batch));
  }

  /** Whether the batch shows nothing to anybody before the report is made, and may go first. */
  private boolean continues(Batch batch, Report report) {
    return batch.inode() == report.inode() && batch.offset() >= untoldEnd && untoldBytes < UNTOLD;
  }

  private void shipped(Batch batch) {
    underWay = null;
    untoldEnd = Math.max(untoldEnd, batch.end());
    untoldBytes += batch.data().remaining();
    spool.shipped(batch);
  }

  private void told(Report report) {
    untoldEnd = 0;
    untoldBytes = 0;
    spool.told(report);
  }

  /** Completes when the action was done, or when it is time to try again. Never fails. */
  private CompletableFuture<?> guarded(
      Supplier<? extends CompletableFuture<?>> action, Runnable done) {
    CompletableFuture<?> started;
    try {
      started = action.get();
    } catch (RuntimeException e) {
      started = CompletableFuture.failedFuture(e);
    }
    return started
        .handle(
            (result, failure) -> {
              if (failure == null) {
                pause = FIRST_PAUSE;
                done.run();
                return CompletableFuture.<@Nullable Object>completedFuture(null);
              }
              return retryLater(failure);
            })
        .thenCompose(wait -> wait);
  }

  private CompletableFuture<?> retryLater(Throwable failure) {
    log.warn(
        "an acknowledged write could not be shipped yet: {}",
        TrefoilException.of(failure).getMessage());
    Duration now = pause;
    pause =
        pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
    return sink.pause(now).handle((done, interrupted) -> null);
  }
}
