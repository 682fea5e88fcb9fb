package org.trefoilfs.replication.spool;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Zeros;
import org.trefoilfs.replication.env.TimeSource;

/**
 * The writes of one mount that were acknowledged and that the replicas do not hold yet, in order.
 *
 * <pre>
 *        done            shipped            under way           waiting
 *  ... -------- | ----------------- | ----------------- | ---------------- | next
 *   size and      at the replicas,    on their way to     here alone
 *   time told     size not yet told   the replicas
 * </pre>
 *
 * Only what is done is out of the window. What others see, should the mounting host die, is what
 * its writers had done at some moment; {@link #next} gives out as much at a time as keeps that so:
 *
 * <ul>
 *   <li>A write behind the end that the namespace knows is hidden: nobody sees its bytes before the
 *       size is told. Several of a file are under way together, also while a size is told.
 *   <li>Any other one is seen as soon as a replica has it. It goes alone, when all before it is
 *       done, and after its modification time was told: whoever compares times to find changed
 *       files may look once too often, and never misses a change. Times are told for all that waits
 *       of the file at once.
 * </ul>
 *
 * Reads of this mount lay over what the replicas have what is not shipped ({@link #overlay}).
 * Thread-safe; futures complete outside of the lock.
 */
public final class Spool {
  private static final Logger log = LoggerFactory.getLogger(Spool.class);

  /** Bytes in one write to the replicas: what the wire and the journals take without a stall. */
  private static final int BATCH = 1 << 20;

  /** Batches under way at once: more than one, so that no replica waits for a round trip. */
  private static final int MOST_UNDER_WAY = 4;

  /** Bytes for which a size is told while others follow: a commit in the state log for a chunk. */
  private static final long WORTH_TELLING = 4L << 20;

  /** Bytes whose size is not told: one such portion is told while the next is shipped. */
  private static final long MOST_UNTOLD = 2 * WORTH_TELLING;

  /** For how long a size is not told at most while others follow. */
  private static final long UNTOLD_NANOS = 100_000_000;

  private static final long FIRST_GUESS_NANOS = 20_000_000;

  /** Batches over which the time that one takes is averaged. */
  private static final int RECENT_BATCHES = 8;

  private final SpoolStore store;
  private final TimeSource time;
  private final Supplier<SpoolLimits> limits;
  private final ArrayDeque<Held> waiting = new ArrayDeque<>();
  private final ArrayDeque<Shipment> underWay = new ArrayDeque<>();
  private final ArrayDeque<Held> shipped = new ArrayDeque<>();
  private final Map<Long, File> files = new HashMap<>();
  private final PriorityQueue<Drain> drains =
      new PriorityQueue<>((a, b) -> Long.compare(a.number, b.number));
  private final List<CompletableFuture<Void>> blocked = new ArrayList<>();
  private @Nullable Report telling;
  private @Nullable TrefoilException failure;

  /** Where the latest batch ends, of any that are under way or not told. */
  private long untoldEnd;

  private long underWayBytes;
  private long shippedBytes;
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

  private static final class Shipment {
    final Batch batch;
    final List<Held> writes;
    boolean arrived;

    Shipment(Batch batch, List<Held> writes) {
      this.batch = batch;
      this.writes = writes;
    }
  }

  /** What the spool holds of one file. */
  private static final class File {
    /** Not shipped, under way or not. */
    final ArrayDeque<SpooledWrite> waiting = new ArrayDeque<>();

    int held;
    long end;
    long wallNanos = Long.MIN_VALUE;
    long ships;

    /** The file's size, as the namespace has it. */
    long size;

    /** Up to this write, the namespace has the times. */
    long timesTold;

    File(long size, long ships) {
      this.size = size;
      this.ships = ships;
    }

    boolean hides(SpooledWrite write) {
      return write.offset() >= size;
    }
  }

  /** What is to be done next. */
  public sealed interface Work permits Batch, Report {}

  /** Touching writes, for one chunk unless it is a single one. */
  public record Batch(SpooledWrite first, SpooledWrite last, ByteBuffer data) implements Work {
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

  /**
   * What the namespace is to be told of writes, all of one file.
   *
   * @param from where they begin, if they go up to {@code end} without a gap or a block of zeros;
   *     else {@link Long#MAX_VALUE}
   * @param end the size that they give the file, unless it is larger; 0 says nothing
   * @param wallNanos the modification time that they give the file, unless it is later
   * @param upTo the last of them
   * @param ahead whether they are still to be shipped
   */
  public record Report(
      long inode,
      long from,
      long end,
      long wallNanos,
      boolean clearsSetId,
      long upTo,
      boolean ahead)
      implements Work {}

  public Spool(SpoolStore store, TimeSource time, Supplier<SpoolLimits> limits) {
    this.store = store;
    this.time = time;
    this.limits = limits;
  }

  /**
   * Takes a write, if the window has room for it; a single one always fits into an empty window.
   *
   * @param size of the file, as the namespace has it; used when nothing of the file is held
   * @return its number, or empty: wait for {@link #room} and offer it again
   * @throws TrefoilException NO_SPACE and IO of the store; why the spool has failed
   */
  public synchronized Optional<Long> offer(
      long inode, long size, long offset, ByteBuffer data, long wallNanos, boolean clearsSetId) {
    checkUsable();
    if (!hasRoom(data.remaining())) {
      return Optional.empty();
    }
    SpooledWrite write =
        new SpooledWrite(last + 1, inode, offset, data.slice(), wallNanos, clearsSetId);
    store.append(write);
    keep(write, size);
    return Optional.of(write.number());
  }

  /**
   * Takes what a store kept when its process died; in order, and before anything else. Then {@link
   * #sized} for each file, before anything is shipped.
   */
  public synchronized void recovered(SpooledWrite write) {
    if (write.number() <= last) {
      throw new IllegalArgumentException("write " + write.number() + " after " + last);
    }
    keep(write, 0);
  }

  /** A file's size, as the namespace has it once nobody changes it any more. */
  public synchronized void sized(long inode, long size) {
    file(inode).size = size;
  }

  private void keep(SpooledWrite write, long size) {
    last = write.number();
    waiting.add(new Held(write, time.nanoTime()));
    File file = files.computeIfAbsent(write.inode(), any -> new File(size, ++ships));
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
    if (!shipped.isEmpty()) {
      return shipped.getFirst();
    }
    return underWay.isEmpty() ? waiting.peek() : underWay.getFirst().writes.getFirst();
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

  /**
   * What may be done now, beside all that was given out and of which nobody has said {@link
   * #shipped} or {@link #told}. It is given out once: whoever takes it tries until it succeeds.
   */
  public synchronized Optional<Work> next() {
    if (failure != null) {
      return Optional.empty();
    }
    Held head = waiting.peek();
    if (head != null && mayGo(head.write())) {
      return Optional.of(take());
    }
    if (telling != null) {
      return Optional.empty();
    }
    if (!shipped.isEmpty()) {
      telling = isWorthTelling() ? untold() : null;
    } else if (head != null && underWay.isEmpty()) {
      telling = ahead(head.write().inode());
    }
    return Optional.ofNullable(telling);
  }

  private boolean mayGo(SpooledWrite write) {
    File file = file(write.inode());
    if (underWay.isEmpty() && shipped.isEmpty()) {
      return telling == null && (file.hides(write) || write.number() <= file.timesTold);
    }
    return file.hides(write)
        && write.inode() == runInode()
        && write.offset() >= untoldEnd
        && underWay.size() < MOST_UNDER_WAY
        && underWayBytes + shippedBytes < MOST_UNTOLD;
  }

  /** Of all that is under way or not told: it is one file's. */
  private long runInode() {
    Held first = shipped.peek();
    return first == null ? underWay.getFirst().batch.inode() : first.write().inode();
  }

  /** The oldest that waits, with what touches its end. */
  private Batch take() {
    SpooledWrite first = waiting.getFirst().write();
    File file = file(first.inode());
    long upTo = file.hides(first) ? Long.MAX_VALUE : file.timesTold;
    List<Held> writes = new ArrayList<>();
    SpooledWrite end = first;
    int length = 0;
    for (Held held = waiting.peek(); held != null; held = waiting.peek()) {
      SpooledWrite write = held.write();
      boolean joins =
          touches(end, write)
              && sameChunk(first, write)
              && write.number() <= upTo
              && length + write.length() <= BATCH;
      if (!writes.isEmpty() && !joins) {
        break;
      }
      writes.add(waiting.remove());
      length += write.length();
      end = write;
    }
    Batch batch = new Batch(first, end, gather(writes, length));
    untoldEnd =
        underWay.isEmpty() && shipped.isEmpty() ? batch.end() : Math.max(untoldEnd, batch.end());
    underWay.add(new Shipment(batch, writes));
    underWayBytes += length;
    return batch;
  }

  private boolean isWorthTelling() {
    Held first = shipped.getFirst();
    return underWay.isEmpty()
        || shippedBytes >= WORTH_TELLING
        || time.nanoTime() - first.sinceNanos() >= UNTOLD_NANOS
        || (!drains.isEmpty() && drains.peek().number() <= shipped.getLast().write().number());
  }

  private Report untold() {
    return report(shipped.stream().map(Held::write).toList(), false);
  }

  private Report ahead(long inode) {
    return report(List.copyOf(file(inode).waiting), true);
  }

  private static Report report(List<SpooledWrite> writes, boolean ahead) {
    long end = 0;
    long wallNanos = Long.MIN_VALUE;
    boolean clears = false;
    boolean zeros = false;
    for (SpooledWrite write : writes) {
      zeros |= Zeros.mayFillBlock(write.offset(), write.data());
      end = Math.max(end, write.end());
      wallNanos = Math.max(wallNanos, write.wallNanos());
      clears |= write.clearsSetId();
    }
    SpooledWrite last = writes.getLast();
    long from = zeros ? Long.MAX_VALUE : ahead ? 0 : SpooledRange.of(writes).getLast().offset();
    return new Report(last.inode(), from, ahead ? 0 : end, wallNanos, clears, last.number(), ahead);
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

  private static ByteBuffer gather(List<Held> parts, int length) {
    if (parts.size() == 1) {
      return parts.getFirst().write().data().duplicate();
    }
    ByteBuffer all = ByteBuffer.allocate(length);
    parts.forEach(part -> all.put(part.write().data().duplicate()));
    return all.flip();
  }

  /** The replicas hold the bytes of the batch. */
  public void shipped(Batch batch) {
    List<CompletableFuture<Void>> ready = new ArrayList<>();
    synchronized (this) {
      underWay.forEach(each -> each.arrived |= each.batch == batch);
      while (!underWay.isEmpty() && underWay.getFirst().arrived) {
        arrived(underWay.remove(), ready);
      }
    }
    ready.forEach(future -> future.complete(null));
  }

  private void arrived(Shipment shipment, List<CompletableFuture<Void>> ready) {
    Batch batch = shipment.batch;
    File file = file(batch.inode());
    shipment.writes.forEach(any -> file.waiting.remove());
    file.ships = ++ships;
    underWayBytes -= batch.data().remaining();
    averageIn(shipment);
    if (batch.end() <= file.size) {
      shipment.writes.forEach(this::finish);
      done(batch.last().number(), ready);
    } else {
      shippedBytes += batch.data().remaining();
      shipped.addAll(shipment.writes);
    }
  }

  private void averageIn(Shipment shipment) {
    long began = Math.max(shippedNanos, shipment.writes.getFirst().sinceNanos());
    shippedNanos = time.nanoTime();
    double each = (double) (shippedNanos - began) / shipment.writes.size();
    nanosPerWrite = Math.max(each, nanosPerWrite + (each - nanosPerWrite) / RECENT_BATCHES);
  }

  /** The namespace knows: unless it was told ahead, all up to the report's last write is done. */
  public void told(Report report) {
    List<CompletableFuture<Void>> ready = new ArrayList<>();
    synchronized (this) {
      telling = null;
      File file = file(report.inode());
      if (report.ahead()) {
        file.timesTold = report.upTo();
        return;
      }
      file.size = Math.max(file.size, report.end());
      while (!shipped.isEmpty() && shipped.getFirst().write().number() <= report.upTo()) {
        Held held = shipped.remove();
        shippedBytes -= held.write().length();
        finish(held);
      }
      done(report.upTo(), ready);
    }
    ready.forEach(future -> future.complete(null));
  }

  private void finish(Held held) {
    SpooledWrite write = held.write();
    bytes -= write.length();
    worstNanos = Math.max(worstNanos, time.nanoTime() - held.sinceNanos());
    if (--file(write.inode()).held == 0) {
      files.remove(write.inode());
    }
  }

  private void done(long upTo, List<CompletableFuture<Void>> ready) {
    forget(upTo);
    while (!drains.isEmpty() && drains.peek().number() <= upTo) {
      ready.add(drains.remove().done());
    }
    ready.addAll(blocked);
    blocked.clear();
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
    return isEmpty() ? 0 : last;
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
    underWay.forEach(each -> each.writes.forEach(part -> held.add(part.write())));
    waiting.forEach(each -> held.add(each.write()));
    return SpooledRange.of(held);
  }

  /** Which bytes of the file are held here: at the replicas or not, its size is not told. */
  public synchronized List<SpooledRange> ranges(long inode) {
    if (!files.containsKey(inode)) {
      return List.of();
    }
    return ranges().stream().filter(range -> range.inode() == inode).toList();
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
    return Objects.requireNonNull(files.get(inode));
  }
}
