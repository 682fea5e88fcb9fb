package org.trefoilfs.mount.namespace;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;

/**
 * Keeps a session's leases while there is use for them: a report is always on its way or held by
 * the leader, and others follow at once with what was acknowledged meanwhile. Thread-safe.
 */
final class LeaseKeeper {
  private static final Logger log = LoggerFactory.getLogger(LeaseKeeper.class);

  /** Leases for which nobody has asked for so long run out. */
  private static final Duration UNUSED = Duration.ofSeconds(5);

  private static final Duration SWEEP = Duration.ofSeconds(1);

  private final SessionLog session;
  private final LookupCache cache;
  private final TimeSource time;
  private final AtomicBoolean running = new AtomicBoolean();
  private final AtomicLong reports = new AtomicLong();

  /** Numbers of revocations that are being carried out. */
  private final Set<Long> revoking = ConcurrentHashMap.newKeySet();

  /** And of those that were, until the leader is known to know. */
  private final Set<Long> revoked = ConcurrentHashMap.newKeySet();

  private volatile long wantedNanos;
  private volatile boolean over;
  private long sweptNanos;

  LeaseKeeper(SessionLog session, LookupCache cache, TimeSource time) {
    this.session = session;
    this.cache = cache;
    this.time = time;
    this.sweptNanos = time.nanoTime();
  }

  /** Somebody asks for what could be leased. */
  void wanted() {
    wantedNanos = time.nanoTime();
    if (!running.get() && !over && running.compareAndSet(false, true)) {
      report();
    }
  }

  /** Another session's leases are what the mount has from now on. */
  void close() {
    over = true;
  }

  private void report() {
    send()
        .whenComplete(
            (done, failure) -> {
              boolean wanted = time.nanoTime() - wantedNanos < UNUSED.toNanos();
              if (failure == null && wanted && !over) {
                report();
              } else {
                // Whoever asks next begins anew.
                running.set(false);
                logged(failure);
              }
            });
  }

  private CompletableFuture<?> send() {
    long sent = time.nanoTime();
    List<Long> acknowledged = List.copyOf(revoked);
    List<Long> released = released(sent);
    LeaseReport report = session.report(reports.incrementAndGet(), acknowledged, released);
    return session
        .keepLeases(report)
        .thenAccept(
            news -> {
              acknowledged.forEach(revoked::remove);
              if (!over && report.generation() == cache.generation()) {
                heard(news, sent, released);
              }
            });
  }

  private synchronized List<Long> released(long now) {
    if (now - sweptNanos < SWEEP.toNanos()) {
      return List.of();
    }
    sweptNanos = now;
    return cache.releases();
  }

  private void heard(LeaseNews news, long sent, List<Long> released) {
    cache.released(released);
    cache.leased(news.generation(), sent, news.renewed());
    List<CompletableFuture<?>> forgotten = new ArrayList<>(news.revoked().size());
    for (LeaseNews.Revocation one : news.revoked()) {
      if (revoking.add(one.number())) {
        forgotten.add(
            cache
                .revoked(one.key())
                .handle(
                    (done, failure) -> {
                      revoked.add(one.number());
                      revoking.remove(one.number());
                      return done;
                    }));
      }
    }
    // What is done at once is acknowledged at once, in one report; the others each when it is.
    boolean some = forgotten.stream().anyMatch(CompletableFuture::isDone);
    for (CompletableFuture<?> one : forgotten) {
      if (!one.isDone()) {
        one.thenRun(this::acknowledge);
      }
    }
    if (some) {
      acknowledge();
    }
  }

  private void acknowledge() {
    send().whenComplete((done, failure) -> logged(failure));
  }

  private static void logged(@Nullable Throwable failure) {
    if (failure != null) {
      log.debug("leases could not be kept", failure);
    }
  }
}
