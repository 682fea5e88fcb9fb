package org.trefoilfs.mount.vfs;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.replication.env.TimeSource;

/**
 * Leases of one kind that this mount has: kept while files are written, given back when another
 * mount asks or when nothing was written for a while.
 */
final class HeldLeases {
  private static final Logger log = LoggerFactory.getLogger(HeldLeases.class);

  /** How long another mount waits for a lease at most before this one hears of it. */
  private static final Duration POLL = Duration.ofMillis(10);

  /** Of leases that are given back only because they are idle. */
  private static final Duration SHARED_POLL = Duration.ofMillis(100);

  private static final Duration RETRY = Duration.ofMillis(100);

  private static final Duration IDLE = Duration.ofSeconds(1);

  /** After a recall a file goes through: its users would only take the lease from each other. */
  private static final Duration CONTENDED = Duration.ofSeconds(2);

  private final TimeSource time;
  private final Written written;
  private final Function<Set<Long>, CompletableFuture<Void>> unlease;
  private final Supplier<CompletableFuture<Set<Long>>> recalls;
  private final Duration poll;
  private final Map<Long, Lease> held = new ConcurrentHashMap<>();
  private final Map<Long, Long> contended = new ConcurrentHashMap<>();
  private final AtomicBoolean polling = new AtomicBoolean();

  /** What was written under leases. */
  interface Written {
    /** Completes when all that was written to the file is committed. */
    CompletableFuture<Void> drained(long inode);

    /** Whether there is any of it that is not. */
    boolean holds(long inode);
  }

  /** Under its monitor, writes are taken and the lease ends: never one after the other's end. */
  static final class Lease {
    final long inode;

    /** The session that has it; 0 while that is not known. */
    final long session;

    final CompletableFuture<Void> gone = new CompletableFuture<>();
    private long size;
    private boolean ending;
    private volatile long usedNanos;

    private Lease(long inode, long session, long size) {
      this.inode = inode;
      this.session = session;
      this.size = size;
    }

    /** The file's size, which nobody else can change meanwhile. */
    synchronized long size() {
      return size;
    }

    /** No use will be made of it soon. */
    void idle(long nanos) {
      usedNanos = nanos - IDLE.toNanos();
    }

    /** It was made use of just now. */
    void used(long nanos) {
      usedNanos = nanos;
    }

    synchronized void wrote(long end, long nanos) {
      size = Math.max(size, end);
      usedNanos = nanos;
    }

    synchronized boolean isEnding() {
      return ending;
    }

    private synchronized boolean end() {
      boolean first = !ending;
      ending = true;
      return first;
    }
  }

  /**
   * @param unlease gives leases of these inodes back
   */
  HeldLeases(
      Names names,
      TimeSource time,
      Written written,
      Function<Set<Long>, CompletableFuture<Void>> unlease) {
    this(time, written, unlease, names::recalls, POLL);
  }

  private HeldLeases(
      TimeSource time,
      Written written,
      Function<Set<Long>, CompletableFuture<Void>> unlease,
      Supplier<CompletableFuture<Set<Long>>> recalls,
      Duration poll) {
    this.time = time;
    this.written = written;
    this.unlease = unlease;
    this.recalls = recalls;
    this.poll = poll;
  }

  /** Leases that others may have at the same time: nobody asks for their end. */
  static HeldLeases shared(
      TimeSource time, Written written, Function<Set<Long>, CompletableFuture<Void>> unlease) {
    CompletableFuture<Set<Long>> none = CompletableFuture.completedFuture(Set.of());
    return new HeldLeases(time, written, unlease, () -> none, SHARED_POLL);
  }

  @Nullable Lease get(long inode) {
    return held.get(inode);
  }

  boolean isContended(long inode) {
    if (contended.isEmpty()) {
      return false;
    }
    Long until = contended.get(inode);
    if (until != null && time.nanoTime() - until >= 0) {
      contended.remove(inode, until);
      return false;
    }
    return until != null;
  }

  /** Another mount uses the file, too. */
  void contend(long inode) {
    contended.put(inode, time.nanoTime() + CONTENDED.toNanos());
  }

  /** The namespace has said that this session holds the lease. */
  Lease granted(long inode, long session, long size) {
    Lease lease = new Lease(inode, session, size);
    lease.usedNanos = time.nanoTime();
    held.put(inode, lease);
    pollLater();
    return lease;
  }

  /** Gives the lease back, if there is one, once what was written under it is committed. */
  CompletableFuture<Void> end(long inode) {
    Lease lease = held.get(inode);
    return lease == null ? CompletableFuture.completedFuture(null) : end(List.of(lease));
  }

  CompletableFuture<Void> endAll() {
    return end(List.copyOf(held.values()));
  }

  private CompletableFuture<Void> end(List<Lease> leases) {
    List<CompletableFuture<?>> gone = new ArrayList<>();
    List<Lease> ending = new ArrayList<>();
    for (Lease lease : leases) {
      gone.add(lease.gone);
      if (lease.end()) {
        ending.add(lease);
      }
    }
    if (!ending.isEmpty()) {
      giveBack(ending);
    }
    return CompletableFuture.allOf(gone.toArray(CompletableFuture[]::new));
  }

  /**
   * Until it is known to have happened: a lease that may be another's by now must not be used
   * again.
   */
  private void giveBack(List<Lease> ending) {
    Set<Long> inodes = new HashSet<>();
    ending.forEach(lease -> inodes.add(lease.inode));
    CompletableFuture.allOf(inodes.stream().map(written::drained).toArray(CompletableFuture[]::new))
        .thenCompose(drained -> unlease.apply(inodes))
        .whenComplete(
            (done, failure) -> {
              if (failure == null) {
                ending.forEach(this::gone);
              } else {
                log.debug("leases of {} could not be given back yet", inodes, failure);
                after(RETRY, () -> giveBackAgain(ending));
              }
            });
  }

  private void giveBackAgain(List<Lease> ending) {
    List<Lease> left = ending.stream().filter(lease -> held.get(lease.inode) == lease).toList();
    if (!left.isEmpty()) {
      giveBack(left);
    }
  }

  private void gone(Lease lease) {
    held.remove(lease.inode, lease);
    lease.gone.complete(null);
  }

  /** The lease was asked for, and it is not known whether it was granted. */
  void doubtful(long inode) {
    Lease lease = new Lease(inode, 0, 0);
    lease.end();
    held.put(inode, lease);
    giveBack(List.of(lease));
  }

  /** The session is over, and its leases with it. */
  void forget() {
    for (Lease lease : List.copyOf(held.values())) {
      lease.end();
      gone(lease);
    }
  }

  private void pollLater() {
    if (polling.compareAndSet(false, true)) {
      after(poll, this::poll);
    }
  }

  private static void after(Duration pause, Runnable action) {
    new CompletableFuture<@Nullable Void>()
        .completeOnTimeout(null, pause.toNanos(), TimeUnit.NANOSECONDS)
        .thenRun(action);
  }

  private void poll() {
    recalls.get().whenComplete((recalled, failure) -> polled(failure == null ? recalled : null));
  }

  private void polled(@Nullable Set<Long> recalled) {
    try {
      List<Lease> ending = new ArrayList<>();
      long now = time.nanoTime();
      for (Lease lease : held.values()) {
        if (recalled != null && recalled.contains(lease.inode)) {
          contend(lease.inode);
          ending.add(lease);
        } else if (now - lease.usedNanos >= IDLE.toNanos() && !written.holds(lease.inode)) {
          ending.add(lease);
        }
      }
      if (!ending.isEmpty()) {
        end(ending);
      }
    } finally {
      polling.set(false);
      if (!held.isEmpty()) {
        pollLater();
      }
    }
  }
}
