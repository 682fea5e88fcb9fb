package org.trefoilfs.replication.simulation;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.SessionTable;
import org.trefoilfs.replication.simulation.AsyncSimulation.Mistake;
import org.trefoilfs.replication.spool.Shipper;
import org.trefoilfs.replication.spool.Spool;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolStore;
import org.trefoilfs.replication.spool.SpooledWrite;

/** A mount of {@link AsyncSimulation}: writes to files of which it has, or gets, the lease. */
final class AsyncMount {
  private static final int BLOCK = 4096;
  private static final SpoolLimits LIMITS = new SpoolLimits(Duration.ofSeconds(2), 1 << 20);

  private final AsyncSimulation world;
  private final int number;
  private long writes;
  private long operations;
  private boolean running;
  private long frozenUntil;
  private Process process;

  /** What a disk holds of a spool, and what has become of its writes. */
  static final class Kept implements SpoolStore {
    final List<SpooledWrite> writes = new ArrayList<>();
    final Map<Long, Long> acknowledgedAt = new HashMap<>();
    final Map<Long, Long> generationOf = new HashMap<>();

    /** That may hold its leases, the latest last: one that takes over may be killed as well. */
    final List<Long> sessions = new ArrayList<>();

    long told;

    /** Writes whose bytes the replicas have. */
    final TreeSet<Long> applied = new TreeSet<>();

    /** Up to this write, others would see them. */
    long seenUpTo;

    @Override
    public void append(SpooledWrite write) {
      writes.add(write);
    }

    @Override
    public void shipped(long upTo) {
      told = Math.max(told, upTo);
    }

    @Override
    public void close() {}

    List<SpooledWrite> left() {
      return writes.stream().filter(write -> write.number() > told).toList();
    }

    /**
     * Bytes that others see are applied after all that came before them; again, only by a process
     * that took the spool over. Bytes behind the file's end may come in any order.
     *
     * @param size of the file, as others know it
     */
    void applied(Shipped write, long size, long wallNanos) {
      for (long each = write.first(); each <= write.last(); each++) {
        applied.add(each);
      }
      if (write.offset() >= size) {
        return;
      }
      Violation.unless(
          write.wallNanos() <= wallNanos, "%s", write + " is seen before its modification time");
      Violation.unless(
          write.last() <= seenUpTo || write.first() <= seenUpTo + 1,
          "%s",
          write + " is seen after write " + seenUpTo + ", out of order");
      Violation.unless(
          write.last() > seenUpTo || write.adopted(),
          "%s",
          write + " is applied again, over what came later: up to " + seenUpTo);
      if (write.adopted()) {
        seenUpTo = write.last();
      } else if (write.end() <= size) {
        seenUpTo = Math.max(seenUpTo, write.last());
      }
    }

    /** A size is told: the bytes are there of all up to the report's last write. */
    void sized(Spool.Report report) {
      for (long each = seenUpTo + 1; each <= report.upTo(); each++) {
        Violation.unless(
            applied.contains(each), "%s", report + " tells a size before write " + each);
      }
      for (SpooledWrite each : writes) {
        Violation.unless(
            each.number() <= report.upTo()
                || each.inode() != report.inode()
                || each.offset() >= report.end()
                || !applied.contains(each.number()),
            "%s",
            report + " shows write " + each.number() + " too early");
      }
      seenUpTo = Math.max(seenUpTo, report.upTo());
    }
  }

  /** Who has the lease, and the file's size. */
  private record Granted(long holder, long size) {}

  /** A batch on its way to its primary. */
  record Shipped(Kept spool, long session, Spool.Batch batch, long generation, boolean adopted) {
    long file() {
      return batch.inode();
    }

    long first() {
      return batch.first().number();
    }

    long last() {
      return batch.last().number();
    }

    long offset() {
      return batch.offset();
    }

    long end() {
      return batch.end();
    }

    long wallNanos() {
      return Math.max(batch.first().wallNanos(), batch.last().wallNanos());
    }

    @Override
    public String toString() {
      return "writes %d to %d of file %d in session %d, generation %d"
          .formatted(first(), last(), file(), session, generation);
    }
  }

  /** What dies with a kill. */
  private final class Process implements Shipper.Sink {
    final AsyncSimulation.Clock clock = world.new Clock();
    final long session = world.newSession();
    final Kept kept;
    final Spool spool;
    final boolean adopts;
    final Set<Long> leases = new HashSet<>();
    final Set<Long> asking = new HashSet<>();

    /** Of files with a lease, with what was written. */
    final Map<Long, Long> sizes = new HashMap<>();

    final Set<Long> ending = new HashSet<>();
    final AsyncSimulation.Numbers numbers = new AsyncSimulation.Numbers();
    final Shipper ships;
    long confirmed;
    boolean dead;
    boolean open;

    Process(Kept kept, boolean adopts) {
      this.kept = kept;
      this.adopts = adopts;
      kept.sessions.add(session);
      spool = new Spool(kept, clock, () -> LIMITS);
      ships = new Shipper(spool, this);
    }

    boolean isAlive() {
      return open && clock.nanoTime() - confirmed < SessionTable.LEASE.toNanos();
    }

    @Override
    public Supplier<CompletableFuture<Void>> write(Spool.Batch batch) {
      Shipped shipped =
          new Shipped(kept, session, batch, kept.generationOf.get(batch.first().number()), adopts);
      long id = nextOperation();
      return () ->
          world.write(shipped, world.mistake == Mistake.ATTEMPTS_DIFFER ? nextOperation() : id);
    }

    @Override
    public CompletableFuture<?> tell(Spool.Report report) {
      return world.operate(
          numbers,
          () -> {
            world.told(session, report);
            if (!report.ahead()) {
              kept.sized(report);
            }
            return null;
          });
    }

    @Override
    public CompletableFuture<?> pause(Duration pause) {
      CompletableFuture<Void> over = new CompletableFuture<>();
      world.later(pause.toNanos(), () -> whenAwake(this, () -> over.complete(null)));
      return over;
    }
  }

  AsyncMount(AsyncSimulation world, int number) {
    this.world = world;
    this.number = number;
    begin();
    world.every(60, () -> whenAwake(process, this::work));
    world.every(40, () -> whenAwake(process, this::pollRecalls));
    world.every(1000, () -> whenAwake(process, () -> ping(process.session, process)));
    world.every(500, this::strike);
  }

  private long nextOperation() {
    return number * 1_000_000_000L + ++operations;
  }

  private void whenAwake(Process of, Runnable action) {
    if (of == null || of.dead) {
      return;
    }
    if (world.now() < frozenUntil) {
      world.later(frozenUntil - world.now(), () -> whenAwake(of, action));
    } else {
      action.run();
    }
  }

  /** A session, and an empty spool. */
  private void begin() {
    Process next = new Process(new Kept(), false);
    process = next;
    running = true;
    open(next, () -> {});
  }

  private void open(Process next, Runnable then) {
    long before = next.clock.nanoTime();
    world
        .log(
            () -> {
              world.openSession(next.session);
              return null;
            })
        .whenComplete(
            (done, failure) ->
                whenAwake(
                    next,
                    () -> {
                      if (failure != null) {
                        open(next, then);
                        return;
                      }
                      next.confirmed = before;
                      next.open = true;
                      then.run();
                    }));
  }

  private void ping(long session, Process from) {
    if (!from.open && session == from.session) {
      return;
    }
    long sent = from.clock.nanoTime();
    world
        .log(() -> world.ping(session))
        .whenComplete(
            (lives, failure) ->
                whenAwake(
                    from,
                    () -> {
                      if (failure == null && lives && session == from.session) {
                        from.confirmed = Math.max(from.confirmed, sent);
                      } else if (failure != null
                          && TrefoilException.of(failure).reason() == Reason.STALE
                          && session == from.session) {
                        evicted(from);
                      }
                    }));
  }

  private void evicted(Process from) {
    if (from.dead) {
      return;
    }
    from.ships.stop();
    checkLoss(from.kept);
    from.dead = true;
    from.spool.fail(new TrefoilException(Reason.IO, "evicted"));
    begin();
  }

  /** What was acknowledged and is not applied is within the bounds, and in what is kept. */
  private void checkLoss(Kept kept) {
    List<SpooledWrite> gone =
        kept.writes.stream().filter(write -> write.number() > kept.seenUpTo).toList();
    if (gone.isEmpty()) {
      return;
    }
    world.lost++;
    long bytes = gone.stream().mapToLong(SpooledWrite::length).sum();
    Violation.unless(
        bytes <= LIMITS.bytes(), "%s", bytes + " bytes are lost; the bound is " + LIMITS.bytes());
    long first = kept.acknowledgedAt.get(gone.getFirst().number());
    long last = kept.acknowledgedAt.get(gone.getLast().number());
    Violation.unless(
        last - first <= LIMITS.age().toNanos() * 103 / 100,
        "%s",
        (last - first) / 1_000_000 + " ms of writes are lost");
    Violation.unless(kept.left().containsAll(gone), "%s", "something lost is not in the spool");
  }

  private void work() {
    Process at = process;
    if (!running || at.adopts || !at.isAlive()) {
      return;
    }
    long file = world.random.nextInt(AsyncSimulation.FILES);
    if (at.leases.contains(file)) {
      if (!at.ending.contains(file)) {
        writeTo(at, file);
      }
      return;
    }
    if (!at.asking.add(file)) {
      return;
    }
    world
        .operate(
            at.numbers,
            () -> {
              long holder = world.lease(at.session, file, number);
              if (holder != at.session) {
                world.recall(at.session, file);
              }
              return new Granted(holder, world.size(file));
            })
        .whenComplete(
            (granted, failure) ->
                whenAwake(
                    at,
                    () -> {
                      at.asking.remove(file);
                      if (failure != null || granted.holder() == at.session) {
                        at.leases.add(file);
                      }
                      if (failure == null) {
                        at.sizes.put(file, granted.size());
                      }
                      if (failure != null) { // it may have been granted
                        end(at, file);
                      }
                    }));
  }

  private void writeTo(Process at, long file) {
    for (int i = world.random.nextInt(1, 4); i > 0 && at.isAlive(); i--) {
      long size = at.sizes.get(file);
      boolean appends = world.chance(0.5);
      long offset = appends ? size : world.random.nextLong(size / BLOCK + 8) * BLOCK;
      var taken =
          at.spool.offer(
              file, size, offset, ByteBuffer.allocate(BLOCK), at.clock.nanoTime(), false);
      if (taken.isEmpty()) {
        break;
      }
      at.sizes.put(file, Math.max(size, offset + BLOCK));
      writes++;
      at.kept.acknowledgedAt.put(taken.get(), world.now());
      at.kept.generationOf.put(taken.get(), world.generation(file));
    }
    at.ships.wake();
  }

  private void pollRecalls() {
    Process at = process;
    if (at.leases.isEmpty()) {
      return;
    }
    world
        .log(() -> world.recalls(at.session))
        .thenAccept(recalled -> whenAwake(at, () -> recalled.forEach(file -> end(at, file))));
  }

  private void end(Process at, long file) {
    if (!at.leases.contains(file) || !at.ending.add(file)) {
      return;
    }
    CompletableFuture<Void> drained =
        world.mistake == Mistake.GIVES_BACK_TOO_EARLY
            ? CompletableFuture.completedFuture(null)
            : at.spool.drained(file);
    drained
        .thenCompose(
            done ->
                world.operate(
                    at.numbers,
                    () -> {
                      world.unlease(at.session, file);
                      return null;
                    }))
        .whenComplete(
            (done, failure) ->
                whenAwake(
                    at,
                    () -> {
                      at.ending.remove(file);
                      boolean forgets = world.mistake == Mistake.USES_WHAT_IT_MAY_HAVE_GIVEN_BACK;
                      if (failure == null) {
                        at.leases.remove(file);
                      } else if (!forgets) {
                        end(at, file);
                      }
                    }));
  }

  // ---- faults

  private void strike() {
    if (!world.isFaulty() || !running || world.now() < frozenUntil) {
      return;
    }
    if (world.chance(0.02)) {
      frozenUntil = world.now() + world.random.nextInt(1, 25_000) * 1_000_000L;
    } else if (world.chance(0.03)) {
      kill();
    }
  }

  private void kill() {
    Process killed = process;
    killed.dead = true;
    killed.ships.stop();
    running = false;
    world.later(world.random.nextInt(100, 16_000) * 1_000_000L, () -> restart(killed));
  }

  /**
   * As a restarted host does: keeps the old sessions alive, takes over, waits for the fence, ships.
   */
  private void restart(Process killed) {
    Kept kept = killed.kept;
    if (kept.left().isEmpty()) {
      begin();
      return;
    }
    List<Long> old = List.copyOf(kept.sessions);
    Process adopting = new Process(kept, true);
    process = adopting;
    running = true;
    kept.left().forEach(adopting.spool::recovered);
    keepAlive(old, adopting);
    open(adopting, () -> adopt(old, adopting));
  }

  private void keepAlive(List<Long> old, Process adopting) {
    if (!adopting.dead && adopting.adopts) {
      old.forEach(session -> ping(session, adopting));
      world.later(1_000_000_000L, () -> whenAwake(adopting, () -> keepAlive(old, adopting)));
    }
  }

  private void adopt(List<Long> old, Process adopting) {
    Set<Long> files = new HashSet<>();
    adopting.kept.left().forEach(write -> files.add(write.inode()));
    boolean careless = world.mistake == Mistake.SHIPS_AFTER_EVICTION;
    CompletableFuture<?> inherited = CompletableFuture.completedFuture(null);
    for (long session : old) {
      inherited = inherited.thenCompose(_ -> inherit(session, adopting));
    }
    inherited
        .thenCompose(
            any ->
                world.log(
                    () ->
                        files.stream()
                            .allMatch(
                                file -> world.holders.getOrDefault(file, 0L) == adopting.session)))
        .whenComplete(
            (held, failure) ->
                whenAwake(
                    adopting,
                    () -> {
                      if (failure != null) {
                        adopt(old, adopting);
                      } else if (held || careless) {
                        awaitFence(old, adopting);
                      } else {
                        giveUp(adopting);
                      }
                    }));
  }

  private CompletableFuture<Void> inherit(long session, Process adopting) {
    return world
        .<Void>log(
            () -> {
              world.inherit(session, adopting.session);
              return null;
            })
        .exceptionally(failure -> null);
  }

  private void awaitFence(List<Long> old, Process adopting) {
    world
        .log(
            () -> {
              old.forEach(world::closeSession);
              return world.epoch();
            })
        .whenComplete(
            (epoch, failure) ->
                whenAwake(
                    adopting,
                    () -> {
                      if (failure != null) {
                        awaitFence(old, adopting);
                      } else {
                        shipWhenFenced(epoch, adopting);
                      }
                    }));
  }

  private void shipWhenFenced(long epoch, Process adopting) {
    if (!world.isFenced(epoch) && world.mistake != Mistake.ADOPTS_WITHOUT_FENCE) {
      world.later(20_000_000L, () -> whenAwake(adopting, () -> shipWhenFenced(epoch, adopting)));
      return;
    }
    // What the killed process had applied and not noted is applied again, in order, unseen by
    // others.
    adopting.kept.seenUpTo = Math.min(adopting.kept.seenUpTo, adopting.kept.told);
    adopting.kept.left().stream()
        .mapToLong(SpooledWrite::inode)
        .distinct()
        .forEach(file -> adopting.spool.sized(file, world.size(file)));
    adopting.ships.wake();
    adopting.spool.drained().thenRun(() -> whenAwake(adopting, () -> shipped(adopting)));
  }

  private void shipped(Process adopting) {
    adopting.dead = true;
    world.log(
        () -> {
          world.closeSession(adopting.session);
          return null;
        });
    begin();
  }

  private void giveUp(Process adopting) {
    checkLoss(adopting.kept);
    shipped(adopting);
  }

  // ---- the end

  /** Faults have stopped. */
  void calm() {
    frozenUntil = Math.min(frozenUntil, world.now());
  }

  void checkWell() {
    Violation.unless(running, "%s", "mount " + number + " does not run");
    Violation.unless(
        process.spool.window().nanos() < 5_000_000_000L,
        "%s",
        "mount " + number + " ships nothing: " + process.spool.window());
    Violation.unless(process.isAlive(), "%s", "mount " + number + " has no session");
  }

  long writes() {
    return writes;
  }
}
