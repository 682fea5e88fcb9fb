package org.trefoilfs.replication.spool;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.env.TimeSource;

/**
 * The writes of one mount that were acknowledged and that the replicas do not hold yet, in order.
 *
 * <pre>
 *        done            shipped                 waiting
 *  ... -------- | ---------------------- | ------------------- | next
 *   size and      bytes at the replicas,    bytes here alone
 *   time told     size not yet told
 * </pre>
 *
 * Only what is done is out of the window, since nobody else sees bytes behind a file's end. Reads
 * of this mount lay over what the replicas have what waits here ({@link #overlay}). Thread-safe;
 * futures complete outside of the lock.
 */
public final class Spool {
  private static final Logger log = LoggerFactory.getLogger(Spool.class);

  /** Bytes in one write to the replicas: what the wire and the journals take without a stall. */
  private static final int BATCH = 1 << 20;

  private static final long FIRST_GUESS_NANOS = 20_000_000;

  /** Batches over which the time that one takes is averaged. */
  private static final int RECENT_BATCHES = 8;

  private final SpoolStore store;
  private final TimeSource time;
  private final Supplier<SpoolLimits> limits;
  private final ArrayDeque<Held> waiting = new ArrayDeque<>();
  private final ArrayDeque<Held> shipped = new ArrayDeque<>();
  private final Map<Long, File> files = new HashMap<>();
  private final PriorityQueue<Drain> drains =
      new PriorityQueue<>((a, b) -> Long.compare(a.number, b.number));
  private final List<CompletableFuture<Void>> blocked = new ArrayList<>();
  private @Nullable TrefoilException failure;
  private long last;
  private long bytes;
  private long worstBytes;
  private long worstNanos;
  private long slowedNanos;

  /**
   * How long a write takes to ship: what the last took, or what they took lately, if that is more.
   */
  private double nanosPerWrite = FIRST_GUESS_NANOS;

  private long shippedNanos = Long.MIN_VALUE;

  /** Grows with each batch shipped and each file that comes: no two states of a file share one. */
  private long ships;

  private record Held(SpooledWrite write, long sinceNanos) {}

  private record Drain(long number, CompletableFuture<Void> done) {}

  /** What the spool holds of one file. */
  private static final class File {
    final ArrayDeque<SpooledWrite> waiting = new ArrayDeque<>();
    int held;
    long end;
    long wallNanos = Long.MIN_VALUE;
    long ships;

    File(long ships) {
      this.ships = ships;
    }
  }

  /** Touching writes, for one chunk unless it is a single one. */
  public record Batch(SpooledWrite first, SpooledWrite last, ByteBuffer data) {
    public long inode() {
      return first.inode();
    }

    public long offset() {
      return first.offset();
    }

    public long end() {
      return first.offset() + data.remaining();
    }
  }

  /** What the namespace is to be told of shipped writes, all of one file. */
  public record Report(long inode, long end, long wallNanos, boolean clearsSetId, long upTo) {}

  public Spool(SpoolStore store, TimeSource time, Supplier<SpoolLimits> limits) {
    this.store = store;
    this.time = time;
    this.limits = limits;
  }

  /**
   * Takes a write, if the window has room for it; a single one always fits into an empty window.
   *
   * @return its number, or empty: wait for {@link #room} and offer it again
   * @throws TrefoilException NO_SPACE and IO of the store; why the spool has failed
   */
  public synchronized Optional<Long> offer(
      long inode, long offset, ByteBuffer data, long wallNanos, boolean clearsSetId) {
    checkUsable();
    if (!hasRoom(data.remaining())) {
      return Optional.empty();
    }
    SpooledWrite write =
        new SpooledWrite(last + 1, inode, offset, data.slice(), wallNanos, clearsSetId);
    store.append(write);
    keep(write);
    return Optional.of(write.number());
  }

  /** Takes what a store kept when its process died; in order, and before anything else. */
  public synchronized void recovered(SpooledWrite write) {
    if (write.number() <= last) {
      throw new IllegalArgumentException("write " + write.number() + " after " + last);
    }
    keep(write);
  }

  private void keep(SpooledWrite write) {
    last = write.number();
    waiting.add(new Held(write, time.nanoTime()));
    File file = files.computeIfAbsent(write.inode(), any -> new File(++ships));
    file.waiting.add(write);
    file.held++;
    file.end = Math.max(file.end, write.end());
    file.wallNanos = Math.max(file.wallNanos, write.wallNanos());
    bytes += write.length();
    worstBytes = Math.max(worstBytes, bytes);
  }

  /**
   * Writes that come faster than they are shipped would be older than the bound by the time that
   * their turn comes, however young the oldest is now.
   */
  private boolean hasRoom(int more) {
    SpoolLimits now = limits.get();
    long bound = now.age().toNanos();
    return oldest() == null
        || (bytes + more <= now.bytes()
            && age() <= bound
            && waiting.size() * nanosPerWrite <= bound);
  }

  private @Nullable Held oldest() {
    Held first = shipped.peek();
    return first == null ? waiting.peek() : first;
  }

  private long age() {
    Held oldest = oldest();
    return oldest == null ? 0 : time.nanoTime() - oldest.sinceNanos();
  }

  /** Completes when the window may have room again. */
  public synchronized CompletableFuture<Void> room() {
    CompletableFuture<Void> room = new CompletableFuture<>();
    if (failure != null || oldest() == null) {
      room.complete(null);
    } else {
      blocked.add(room);
    }
    return room;
  }

  /** A writer has waited at the bound. */
  public synchronized void slowed(long nanos) {
    slowedNanos += nanos;
  }

  /** What is to be written next: the oldest that waits, with what touches its end. */
  public synchronized Optional<Batch> next() {
    Held head = waiting.peek();
    if (head == null || failure != null) {
      return Optional.empty();
    }
    SpooledWrite first = head.write();
    SpooledWrite end = first;
    List<SpooledWrite> parts = new ArrayList<>();
    long length = 0;
    for (Held held : waiting) {
      SpooledWrite write = held.write();
      boolean joins = parts.isEmpty() || (touches(end, write) && sameChunk(first, write));
      if (!joins || (!parts.isEmpty() && length + write.length() > BATCH)) {
        break;
      }
      parts.add(write);
      length += write.length();
      end = write;
    }
    return Optional.of(new Batch(first, end, gather(parts, (int) length)));
  }

  private static boolean touches(SpooledWrite before, SpooledWrite write) {
    return write.inode() == before.inode()
        && write.offset() == before.end()
        && write.clearsSetId() == before.clearsSetId();
  }

  /** A batch across chunks could be seen in parts that its writer never made. */
  private static boolean sameChunk(SpooledWrite first, SpooledWrite write) {
    return first.offset() / ChunkId.SIZE == (write.end() - 1) / ChunkId.SIZE;
  }

  private static ByteBuffer gather(List<SpooledWrite> parts, int length) {
    if (parts.size() == 1) {
      return parts.getFirst().data().duplicate();
    }
    ByteBuffer all = ByteBuffer.allocate(length);
    parts.forEach(part -> all.put(part.data().duplicate()));
    return all.flip();
  }

  /** The replicas hold the bytes of the batch. */
  public synchronized void shipped(Batch batch) {
    File file = file(batch.inode());
    long began = Math.max(shippedNanos, waiting.element().sinceNanos());
    int writes = 0;
    Held held;
    do {
      held = waiting.remove();
      shipped.add(held);
      file.waiting.remove();
      writes++;
    } while (held.write().number() != batch.last().number());
    file.ships = ++ships;
    shippedNanos = time.nanoTime();
    double each = (double) (shippedNanos - began) / writes;
    nanosPerWrite = Math.max(each, nanosPerWrite + (each - nanosPerWrite) / RECENT_BATCHES);
  }

  /** What is shipped and not told; empty when nothing is. All of it is of one file. */
  public synchronized Optional<Report> untold() {
    if (shipped.isEmpty()) {
      return Optional.empty();
    }
    long end = 0;
    long wallNanos = Long.MIN_VALUE;
    boolean clears = false;
    for (Held held : shipped) {
      end = Math.max(end, held.write().end());
      wallNanos = Math.max(wallNanos, held.write().wallNanos());
      clears |= held.write().clearsSetId();
    }
    long inode = shipped.getFirst().write().inode();
    return Optional.of(
        new Report(inode, end, wallNanos, clears, shipped.getLast().write().number()));
  }

  /** The namespace knows: all up to the report's last write is done. */
  public void told(Report report) {
    List<CompletableFuture<Void>> ready = new ArrayList<>();
    synchronized (this) {
      while (!shipped.isEmpty() && shipped.getFirst().write().number() <= report.upTo()) {
        Held held = shipped.remove();
        bytes -= held.write().length();
        worstNanos = Math.max(worstNanos, time.nanoTime() - held.sinceNanos());
        File file = file(held.write().inode());
        if (--file.held == 0) {
          files.remove(held.write().inode());
        }
      }
      forget(report.upTo());
      while (!drains.isEmpty() && drains.peek().number() <= report.upTo()) {
        ready.add(drains.remove().done());
      }
      ready.addAll(blocked);
      blocked.clear();
    }
    ready.forEach(future -> future.complete(null));
  }

  /**
   * A store that cannot note what is shipped holds nothing up: should the process be killed now,
   * the next one ships some writes again, which nobody sees.
   */
  private void forget(long upTo) {
    try {
      store.shipped(upTo);
    } catch (TrefoilException e) {
      log.warn("the spool still holds what was shipped: {}", e.getMessage());
    }
  }

  /** Completes when everything taken up to now is done; fails as the spool does. */
  public synchronized CompletableFuture<Void> drained() {
    return drainedTo(lastHeld());
  }

  /** As {@link #drained()}, for what was written to the file and what came before that. */
  public synchronized CompletableFuture<Void> drained(long inode) {
    return drainedTo(lastHeld(inode));
  }

  private CompletableFuture<Void> drainedTo(long number) {
    if (failure != null) {
      return CompletableFuture.failedFuture(failure);
    }
    if (number == 0) {
      return CompletableFuture.completedFuture(null);
    }
    Drain drain = new Drain(number, new CompletableFuture<>());
    drains.add(drain);
    return drain.done();
  }

  private long lastHeld() {
    Held held = waiting.isEmpty() ? shipped.peekLast() : waiting.getLast();
    return held == null ? 0 : held.write().number();
  }

  private long lastHeld(long inode) {
    File file = files.get(inode);
    if (file == null) {
      return 0;
    }
    return file.waiting.isEmpty()
        ? shipped.getLast().write().number()
        : file.waiting.getLast().number();
  }

  /** Whether anything of the file is not done. */
  public synchronized boolean holds(long inode) {
    return files.containsKey(inode);
  }

  public synchronized boolean isEmpty() {
    return oldest() == null;
  }

  /** The file's size, as far as writes that are not done say: 0 when there are none. */
  public synchronized long end(long inode) {
    File file = files.get(inode);
    return file == null ? 0 : file.end;
  }

  /** The file's modification time by writes that are not done; else the smallest long. */
  public synchronized long wallNanos(long inode) {
    File file = files.get(inode);
    return file == null ? Long.MIN_VALUE : file.wallNanos;
  }

  /**
   * Changes when writes of the file have gone from here to the replicas: a reader whose bytes came
   * from the replicas while it changed has to read them again.
   */
  public synchronized long ships(long inode) {
    File file = files.get(inode);
    return file == null ? -1 : file.ships;
  }

  /**
   * Puts what waits here over what the replicas have: {@code target}, from its position to its
   * limit, begins at {@code offset} of the file.
   *
   * @param ships what {@link #ships} was before the replicas were asked
   * @return false, and nothing is changed, when it is no longer that
   */
  public synchronized boolean overlay(long inode, long offset, ByteBuffer target, long ships) {
    if (ships(inode) != ships) {
      return false;
    }
    File file = files.get(inode);
    if (file != null) {
      for (SpooledWrite write : file.waiting) {
        lay(write, offset, target);
      }
    }
    return true;
  }

  private static void lay(SpooledWrite write, long offset, ByteBuffer target) {
    long from = Math.max(write.offset(), offset);
    long to = Math.min(write.end(), offset + target.remaining());
    if (from < to) {
      target.put(
          target.position() + (int) (from - offset),
          write.data(),
          write.data().position() + (int) (from - write.offset()),
          (int) (to - from));
    }
  }

  public synchronized SpoolWindow window() {
    long age = age();
    return new SpoolWindow(bytes, age, worstBytes, Math.max(worstNanos, age), slowedNanos);
  }

  /** Which bytes of which files would be lost now. */
  public synchronized List<SpooledRange> ranges() {
    List<SpooledWrite> held = new ArrayList<>();
    shipped.forEach(each -> held.add(each.write()));
    waiting.forEach(each -> held.add(each.write()));
    return SpooledRange.of(held);
  }

  /** What is here will not be shipped: whoever waits, and every later call, fails so. */
  public void fail(TrefoilException why) {
    List<CompletableFuture<Void>> waiters = new ArrayList<>();
    List<CompletableFuture<Void>> failing = new ArrayList<>();
    synchronized (this) {
      if (failure != null) {
        return;
      }
      failure = why;
      for (Iterator<Drain> each = drains.iterator(); each.hasNext(); each.remove()) {
        failing.add(each.next().done());
      }
      waiters.addAll(blocked);
      blocked.clear();
    }
    failing.forEach(future -> future.completeExceptionally(why));
    waiters.forEach(future -> future.complete(null));
  }

  private void checkUsable() {
    if (failure != null) {
      throw failure;
    }
  }

  private File file(long inode) {
    return java.util.Objects.requireNonNull(files.get(inode));
  }
}
