package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.Names.Privileges;

/**
 * Tells the namespace of one inode's writes: at most one report is in flight, and those that come
 * meanwhile merge into the next, so many writers share a commit. Modification times of in-place
 * writes wait for the interval or for the next report, whichever is first.
 */
final class WriteReports {
  private static final Logger log = LoggerFactory.getLogger(WriteReports.class);
  private static final long NEVER = Long.MIN_VALUE;

  private final long inode;
  private final Names names;
  private final Duration interval;
  private @Nullable Report inFlight;
  private @Nullable Report next;
  private long lazyTime = NEVER;
  private boolean timerArmed;

  WriteReports(long inode, Names names, Duration interval) {
    this.inode = inode;
    this.names = names;
    this.interval = interval;
  }

  /**
   * Commits a write up to {@code end}; the result is the attributes after it.
   *
   * @param from as {@link Names#wrote} has it
   */
  synchronized CompletableFuture<Attributes> report(
      long from, long end, long time, Privileges privileges) {
    Report report = next;
    if (report == null) {
      report = new Report();
      next = report;
    }
    report.merge(from, end, Math.max(time, lazyTime), privileges);
    lazyTime = NEVER;
    if (inFlight == null) {
      sendNext();
    }
    return report.done;
  }

  /** A write in place; its time is reported within the interval. */
  synchronized void touched(long time) {
    lazyTime = Math.max(lazyTime, time);
    if (!timerArmed) {
      timerArmed = true;
      new CompletableFuture<@Nullable Void>()
          .completeOnTimeout(null, interval.toNanos(), TimeUnit.NANOSECONDS)
          .thenRun(this::onTimer);
    }
  }

  /** Completes when everything up to now has been committed. */
  synchronized CompletableFuture<?> drain() {
    if (lazyTime != NEVER) {
      return report(0, 0, lazyTime, Privileges.KEEP);
    }
    Report last = next != null ? next : inFlight;
    return last == null ? CompletableFuture.completedFuture(null) : last.done;
  }

  /** The latest modification time that may not have been committed yet; else the smallest long. */
  synchronized long uncommittedTime() {
    long time = lazyTime;
    if (inFlight != null) {
      time = Math.max(time, inFlight.time);
    }
    return next == null ? time : Math.max(time, next.time);
  }

  private synchronized void onTimer() {
    timerArmed = false;
    long time = lazyTime;
    if (time == NEVER) {
      return;
    }
    report(0, 0, time, Privileges.KEEP)
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                log.debug("mtime of inode {} not yet committed, kept", inode, failure);
                keep(time);
              }
            });
  }

  /** Left for the next report or flush, whose caller then learns of a failure. */
  private synchronized void keep(long time) {
    lazyTime = Math.max(lazyTime, time);
  }

  private void sendNext() {
    Report report = next;
    if (report == null) {
      return;
    }
    next = null;
    inFlight = report;
    CompletableFuture<Attributes> sent;
    try {
      sent = names.wrote(inode, report.from, report.end, report.time, report.privileges);
    } catch (RuntimeException e) {
      sent = CompletableFuture.failedFuture(e);
    }
    sent.whenComplete((attributes, failure) -> ended(report, attributes, failure));
  }

  private void ended(Report report, @Nullable Attributes attributes, @Nullable Throwable failure) {
    synchronized (this) {
      inFlight = null;
      sendNext();
    }
    if (failure != null || attributes == null) {
      report.done.completeExceptionally(
          failure != null ? failure : new IllegalStateException("wrote() without a result"));
    } else {
      report.done.complete(attributes);
    }
  }

  private static final class Report {
    final CompletableFuture<Attributes> done = new CompletableFuture<>();
    long from;
    long end;
    long time = NEVER;
    Privileges privileges = Privileges.KEEP;

    void merge(long otherFrom, long otherEnd, long otherTime, Privileges other) {
      from = start(otherFrom, otherEnd);
      end = Math.max(end, otherEnd);
      time = Math.max(time, otherTime);
      if (other == Privileges.CLEAR_SET_ID) {
        privileges = other;
      }
    }

    /** Two writes that do not touch have a gap between them: only the further one is one piece. */
    private long start(long otherFrom, long otherEnd) {
      if (from == Names.HOLES || otherFrom == Names.HOLES) {
        return Names.HOLES;
      }
      if (end == 0 || otherEnd == 0) {
        return end == 0 ? otherFrom : from;
      }
      boolean touch = otherFrom <= end && from <= otherEnd;
      return touch ? Math.min(from, otherFrom) : Math.max(from, otherFrom);
    }
  }
}
