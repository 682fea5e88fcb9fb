package org.trefoilfs.mount.namespace;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.statelog.lease.ReadLeases;

/**
 * What a mount remembers of names and attributes, under {@link ReadLeases}, and how long its kernel
 * may remember the same.
 *
 * <ol>
 *   <li>A row that came with a lease is remembered unless it was forgotten since it was asked for.
 *   <li>While the leases last, it is what the namespace would answer.
 *   <li>The kernel is given a row for as long as they last, less a margin. That happens with the
 *       lock held shared, from the look at the row until the kernel has it; forgetting holds it
 *       alone. So what is forgotten is told to the kernel afterwards, or not at all.
 *   <li>A key is acknowledged when the kernel has forgotten it, too.
 * </ol>
 *
 * Thread-safe.
 */
public final class LookupCache {
  /** Remembers nothing. */
  public static final LookupCache NONE = new LookupCache(new Never(), 0, Duration.ZERO);

  public static final int ROWS = 50_000;

  /**
   * After a revocation others work there, too: for so long nothing is leased there. Each time that
   * others come again as soon as it is, {@link #LONGER} times as long.
   */
  public static final Duration CONTENDED = Duration.ofSeconds(1);

  /**
   * Where mounts change one directory, a revocation may wait for a call that waits for a
   * revocation, until leases run out: with pauses of a second, a call took 160 ms on average.
   */
  private static final int LONGER = 4;

  private static final Duration CONTENDED_MAX = Duration.ofSeconds(64);

  /** Rows that were not used for so long are let go. */
  private static final Duration IDLE = Duration.ofSeconds(5);

  /**
   * From the look at the clock until the kernel looks at its own, which ticks each 4 ms and counts
   * from when the caller runs again: on a busy machine it waits for its turn first.
   */
  private static final Duration KERNEL_MARGIN = Duration.ofMillis(200);

  private static final int SLOTS = 1 << 12;

  private final TimeSource time;
  private final int most;
  private final Duration contention;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final Map<Long, Row> rows = new ConcurrentHashMap<>();
  private final Map<Long, Contention> contended = new ConcurrentHashMap<>();

  /** Keys that were let go, until the leader is known to know. */
  private final Set<Long> releasing = ConcurrentHashMap.newKeySet();

  /** The number of the last event of any key that falls into the slot: an answer, a forgetting. */
  private final AtomicLongArray lastEvent = new AtomicLongArray(SLOTS);

  private final AtomicLong events = new AtomicLong();
  private volatile long generation;
  private volatile long leasedUntil;
  private volatile Kernel kernel = Kernel.NONE;
  private volatile boolean givesEntries;

  /** Nothing is leased until then; who comes within as long again makes it longer. */
  private record Contention(long untilNanos, long nanos) {}

  private static final class Never implements TimeSource {
    @Override
    public long nanoTime() {
      return 0;
    }

    @Override
    public long wallNanos() {
      return 0;
    }
  }

  /** What the kernel is made to forget. Completes when it has. */
  public interface Kernel {
    Kernel NONE =
        new Kernel() {
          @Override
          public CompletableFuture<?> forgetEntry(long parent, byte[] name) {
            return CompletableFuture.completedFuture(null);
          }

          @Override
          public CompletableFuture<?> forgetAttributes(long inode) {
            return CompletableFuture.completedFuture(null);
          }
        };

    CompletableFuture<?> forgetEntry(long parent, byte[] name);

    CompletableFuture<?> forgetAttributes(long inode);

    /** Another mount is about to change something of the inode, or has. */
    default void changedElsewhere(long inode) {}
  }

  /** One key: of a name, with the inode that it is of, or of an inode, with its attributes. */
  private static final class Row {
    final long number;
    final byte @Nullable [] name;

    /** An inode's number, 0 for none, or attributes; null: forgotten. */
    volatile @Nullable Object value;

    volatile long usedNanos;
    volatile long kernelUntil;

    Row(long number, byte @Nullable [] name, Object value, long now) {
      this.number = number;
      this.name = name;
      this.value = value;
      this.usedNanos = now;
      this.kernelUntil = now;
    }

    boolean is(long other, byte @Nullable [] otherName) {
      return number == other && Arrays.equals(name, otherName);
    }
  }

  /**
   * @param attributes null: there is nothing of that name
   */
  record Remembered(@Nullable Attributes attributes) {}

  /**
   * @param most rows; 0: nothing is remembered
   * @param contention as {@link #CONTENDED}
   */
  public LookupCache(TimeSource time, int most, Duration contention) {
    this.time = time;
    this.most = most;
    this.contention = contention;
    this.leasedUntil = time.nanoTime();
  }

  /**
   * Whether the kernel may be given what names are of. It forgets them under a lock which a call
   * may have that waits for an answer; if no more answers come, somebody must end that.
   */
  public void givesEntries(boolean may) {
    givesEntries = may;
  }

  /** Who is to forget what this does. */
  public void serves(Kernel other) {
    kernel = other;
  }

  // ---- what is remembered

  @Nullable Remembered find(Location at) {
    if (rows.isEmpty() || !isLeased()) {
      return null;
    }
    if (at.names().isEmpty()) {
      return remembered(at.base());
    }
    if (at.names().size() > 1) {
      return null;
    }
    byte[] name = at.names().getFirst();
    if (!(value(LeaseKeys.entry(at.base(), name), at.base(), name) instanceof Long child)) {
      return null;
    }
    return child == 0 ? new Remembered(null) : remembered(child);
  }

  private @Nullable Remembered remembered(long inode) {
    return value(LeaseKeys.inode(inode), inode, null) instanceof Attributes found
        ? new Remembered(found)
        : null;
  }

  private @Nullable Object value(long key, long number, byte @Nullable [] name) {
    Row row = rows.get(key);
    if (row == null || !row.is(number, name)) {
      return null;
    }
    row.usedNanos = time.nanoTime();
    return row.value;
  }

  /**
   * Which inode the kernel may take a name to be of, without asking.
   *
   * @param inode null: it is about to forget
   */
  public record Belief(@Nullable Long inode, long untilNanos) {}

  /** Null when the kernel asks. */
  public @Nullable Belief belief(Location at) {
    if (rows.isEmpty() || at.names().size() != 1) {
      return null;
    }
    Row row = entry(at.base(), at.names().getFirst());
    if (row == null || row.kernelUntil - time.nanoTime() <= 0) {
      return null;
    }
    return new Belief((Long) row.value, row.kernelUntil);
  }

  /**
   * The kernel takes a name that it has moved to be of this inode. False when that is not leased:
   * nobody would tell us to make it forget.
   */
  public boolean believed(Location at, long inode, long untilNanos) {
    lock.writeLock().lock();
    try {
      Row row = entry(at.base(), at.names().getLast());
      if (row == null || !isLeased() || !((Long) inode).equals(row.value)) {
        return false;
      }
      row.kernelUntil = Math.max(row.kernelUntil, untilNanos);
      return true;
    } finally {
      lock.writeLock().unlock();
    }
  }

  private @Nullable Row entry(long parent, byte[] name) {
    Row row = rows.get(LeaseKeys.entry(parent, name));
    return row != null && row.is(parent, name) ? row : null;
  }

  boolean isLeased() {
    return time.nanoTime() - leasedUntil < 0;
  }

  /** Whether the answer about this is to be asked for with a lease, for which there is room. */
  boolean wants(Location at) {
    return rows.size() < most
        && (at.names().isEmpty() || (at.names().size() == 1 && !isDots(at.names().getFirst())))
        && !isContended(at.base());
  }

  private static boolean isDots(byte[] name) {
    return name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
  }

  private boolean isContended(long inode) {
    if (contended.isEmpty()) {
      return false;
    }
    Contention found = contended.get(inode);
    if (found == null) {
      return false;
    }
    long over = time.nanoTime() - found.untilNanos();
    if (over >= found.nanos()) {
      contended.remove(inode, found);
    }
    return over < 0;
  }

  private void contend(long inode) {
    long now = time.nanoTime();
    contended.compute(
        inode,
        (same, before) -> {
          if (before != null && now - before.untilNanos() < 0) {
            return before; // of the same lease as the last, or of one that was asked for before
          }
          long nanos =
              before == null
                  ? contention.toNanos()
                  : Math.min(LONGER * before.nanos(), CONTENDED_MAX.toNanos());
          return new Contention(now + nanos, nanos);
        });
  }

  /** Before something is asked that may be remembered. */
  long asks() {
    return events.get();
  }

  /**
   * An answer came, perhaps with a lease. It is remembered if it is the first that came since it
   * was asked for: of two questions at once it is not known which saw more. What contradicts it is
   * forgotten: a question may see a change of this mount's own before that is answered.
   *
   * @param asked {@link #asks} before it was asked for
   * @param under the generation of the lease; 0: none
   * @param found null: there is nothing at that name
   */
  void found(long asked, long under, Location at, @Nullable Attributes found) {
    List<Long> contradicted = new ArrayList<>(0);
    lock.readLock().lock();
    try {
      if (found != null) {
        long key = LeaseKeys.inode(found.inode());
        if (!put(asked, under, key, found.inode(), null, found)) {
          contradicted.add(key);
        }
      }
      if (at.names().size() == 1) {
        byte[] name = at.names().getFirst();
        long key = LeaseKeys.entry(at.base(), name);
        Long child = found == null ? 0L : (Long) found.inode();
        if (!put(asked, under, key, at.base(), name, child)) {
          contradicted.add(key);
        }
      }
    } finally {
      lock.readLock().unlock();
    }
    changed(contradicted);
  }

  /** Whether what is remembered now, if anything, is this. */
  private boolean put(
      long asked, long under, long key, long number, byte @Nullable [] name, Object value) {
    boolean room = rows.size() < most;
    Row row =
        rows.compute(
            key,
            (_, old) -> {
              boolean first = lastEvent.get(slot(key)) <= asked;
              happened(key);
              boolean leased = first && under != 0 && under == generation;
              return leased && !releasing.contains(key) && (room || old != null)
                  ? renewed(old, number, name, value)
                  : old;
            });
    return row == null || !row.is(number, name) || row.value == null || value.equals(row.value);
  }

  private void happened(long key) {
    lastEvent.accumulateAndGet(slot(key), events.incrementAndGet(), Math::max);
  }

  /** The kernel's time stays with the row that it is of. */
  private Row renewed(@Nullable Row old, long number, byte @Nullable [] name, Object value) {
    long now = time.nanoTime();
    if (old == null) {
      return new Row(number, name, value, now);
    }
    if (old.is(number, name)) {
      old.value = value;
      old.usedNanos = now;
    }
    return old;
  }

  // ---- what is forgotten

  /**
   * Rows that a command of this mount has changed. What names are of, the kernel knows by the
   * answer; of attributes only what the call is for: not that a write has cleared set-user-id.
   */
  void changed(List<Long> keys) {
    if (most == 0 || keys.isEmpty()) {
      return;
    }
    List<Row> known = new ArrayList<>(keys.size());
    lock.writeLock().lock();
    try {
      for (long key : keys) {
        Row row = forget(key);
        if (row != null && row.name == null && row.kernelUntil - time.nanoTime() > 0) {
          known.add(row);
        }
      }
    } finally {
      lock.writeLock().unlock();
    }
    known.forEach(row -> kernel.forgetAttributes(row.number));
  }

  /** The lock is held alone. */
  private @Nullable Row forget(long key) {
    happened(key);
    Row row = rows.get(key);
    if (row != null) {
      row.value = null;
      if (row.kernelUntil - time.nanoTime() <= 0) {
        rows.remove(key);
      }
    }
    return row;
  }

  /** Somebody is about to change this. Completes when it is forgotten here and by the kernel. */
  CompletableFuture<?> revoked(long key) {
    Row row;
    lock.writeLock().lock();
    try {
      row = forget(key);
    } finally {
      lock.writeLock().unlock();
    }
    if (row == null) {
      return CompletableFuture.completedFuture(null);
    }
    contend(row.number);
    if (row.name == null) {
      kernel.changedElsewhere(row.number);
    }
    if (row.kernelUntil - time.nanoTime() <= 0) {
      return CompletableFuture.completedFuture(null);
    }
    return row.name == null
        ? kernel.forgetAttributes(row.number)
        : kernel.forgetEntry(row.number, row.name);
  }

  // ---- leases

  long generation() {
    return generation;
  }

  /**
   * The leases go on, or none of the former ones: then the kernel has what it was given for no
   * longer than they would have lasted, which the state log waits for.
   *
   * @param sentNanos when that was asked for
   */
  void leased(long under, long sentNanos, boolean renewed) {
    if (under != generation) {
      startOver(under);
    }
    long until = sentNanos + ReadLeases.TERM.toNanos();
    if (renewed && until - leasedUntil > 0) {
      leasedUntil = until;
    }
  }

  /** Under another session or generation, nothing is leased yet. */
  void startOver(long under) {
    lock.writeLock().lock();
    try {
      long now = events.incrementAndGet();
      for (int slot = 0; slot < SLOTS; slot++) {
        lastEvent.set(slot, now);
      }
      rows.clear();
      releasing.clear();
      leasedUntil = time.nanoTime();
      generation = under;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Lets rows go that nobody used for a while; all that the leader is yet to know of. */
  List<Long> releases() {
    long now = time.nanoTime();
    List<Long> idle = new ArrayList<>();
    rows.forEach(
        (key, row) -> {
          if (now - row.usedNanos > IDLE.toNanos() && now - row.kernelUntil > 0) {
            idle.add(key);
          }
        });
    if (!idle.isEmpty()) {
      lock.writeLock().lock();
      try {
        releasing.addAll(idle);
        idle.forEach(this::forget);
      } finally {
        lock.writeLock().unlock();
      }
    }
    return List.copyOf(releasing);
  }

  /** The leader knows: what was asked for before it did has no lease any more. */
  void released(List<Long> keys) {
    if (keys.isEmpty()) {
      return;
    }
    lock.writeLock().lock();
    try {
      keys.forEach(this::forget);
      keys.forEach(releasing::remove);
    } finally {
      lock.writeLock().unlock();
    }
  }

  // ---- the kernel

  /** Answers the kernel, which may be told how long to remember the answer. */
  public int answering(IntSupplier answer) {
    lock.readLock().lock();
    try {
      return answer.getAsInt();
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * For how long the kernel may remember that the name is of this inode, in nanoseconds, perhaps 0;
   * while {@link #answering}.
   *
   * @param inode 0: of none
   */
  public long entryNanos(long parent, byte[] name, long inode) {
    Row row = givesEntries ? entry(parent, name) : null;
    return row != null && ((Long) inode).equals(row.value) ? given(row) : 0;
  }

  /** As {@link #entryNanos}, of attributes. */
  public long attributeNanos(Attributes shown) {
    Row row = most == 0 ? null : rows.get(LeaseKeys.inode(shown.inode()));
    return row != null && row.name == null && shown.equals(row.value) ? given(row) : 0;
  }

  private long given(Row row) {
    long now = time.nanoTime();
    long left = leasedUntil - KERNEL_MARGIN.toNanos() - now;
    if (left <= 0) {
      return 0;
    }
    // It may have begun to count as late as the margin allows.
    row.kernelUntil = Math.max(row.kernelUntil, leasedUntil);
    return left;
  }

  private static int slot(long key) {
    return (int) ((key * 0x9E3779B97F4A7C15L) >>> 52);
  }
}
