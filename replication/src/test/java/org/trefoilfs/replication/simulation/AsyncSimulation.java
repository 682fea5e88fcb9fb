package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.SessionFence;
import org.trefoilfs.replication.membership.SessionInfo;
import org.trefoilfs.replication.membership.SessionTable;
import org.trefoilfs.replication.placement.PlacementTable;
import org.trefoilfs.replication.spool.Spool;

/**
 * Mounts that commit asynchronously, decided by a seed: their spools, sessions, write leases and
 * fencing, over links that delay, lose and repeat, clocks that drift, processes that stand still or
 * are killed and come back, and a state log whose leader changes.
 *
 * <p>Real are {@code Spool}, {@code Shipper}, {@link SessionFence} and {@link SessionTable}. A
 * group is a primary that applies each operation once, after a while; leases are rows of an ideal
 * state log, as the namespace keeps them. Checked at each write that is applied: nobody else has
 * been given the file since ("nothing of an evicted session is applied after its fence"), and where
 * it is seen, all that its mount wrote before is seen as well ("the spool ships in order"), also
 * when a size is told; at each eviction: what is lost is within the bounds and in the spool that is
 * kept.
 */
final class AsyncSimulation {
  static final int FILES = 4;
  static final int HOSTS = 3;
  private static final int MOUNTS = 3;
  private static final long MS = 1_000_000;
  private static final long FAULTS = 50_000 * MS;
  private static final long CALM = 30_000 * MS;

  /** Mistakes of a line or two, to check the checks. */
  enum Mistake {
    NONE(0),
    /** Hosts take writes of any session. */
    NO_FENCE(1),
    /** Leases of a session that is over are given away before its late writes are kept out. */
    NO_WAIT_FOR_FENCE(230),
    /** Writes under way do not hold the fence up. */
    FENCE_FORGETS_WHAT_IS_UNDER_WAY(360),
    /** Each attempt of a write is an operation of its own. */
    ATTEMPTS_DIFFER(1),
    /** A recalled lease is given back before what was written under it is shipped. */
    GIVES_BACK_TOO_EARLY(1),
    /** A lease of which it is not known whether it was given back is used again. */
    USES_WHAT_IT_MAY_HAVE_GIVEN_BACK(1),
    /** A restarted host ships its spool without asking whether its session lives. */
    SHIPS_AFTER_EVICTION(1),
    /** A restarted host ships before late writes of the killed process are kept out. */
    ADOPTS_WITHOUT_FENCE(160),
    /** What a session inherited is given away while the one that it is from may still write. */
    FORGETS_WHO_HAD_IT_BEFORE(414_259_640);

    /** A little before a seed that is known to notice it. */
    final long first;

    Mistake(long first) {
      this.first = first;
    }
  }

  final Random random;
  final Mistake mistake;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final List<AsyncMount> mounts = new ArrayList<>();
  private final List<Primary> hosts = new ArrayList<>();
  private long order;
  private long now;
  private boolean faulty = true;

  // The state log, ideal but for its delays and its leader.
  private long epoch = 1;
  private final TreeMap<Long, SessionInfo> sessions = new TreeMap<>();
  final Map<Long, Long> holders = new HashMap<>();
  private final Set<Long> opened = new TreeSet<>();
  private final Set<Long> over = new HashSet<>();
  private final Map<Long, Set<Long>> predecessors = new HashMap<>();
  private final Map<Long, Set<Long>> recalls = new HashMap<>();
  private final Map<Long, Long> endedAt = new HashMap<>();
  private final Map<Long, Long> generation = new HashMap<>();
  private final Map<Long, Integer> lastOwner = new HashMap<>();
  private final Map<Long, Long> sizes = new HashMap<>();
  private final Map<Long, Long> times = new HashMap<>();
  private SessionTable table;
  private long nextSession;
  int applied;
  int lost;

  private record Event(long at, long order, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
    }
  }

  /** A clock that runs up to 2 % wrong. */
  final class Clock implements TimeSource {
    private final double rate = 0.98 + 0.04 * random.nextDouble();

    @Override
    public long nanoTime() {
      return (long) (now * rate);
    }

    @Override
    public long wallNanos() {
      return nanoTime();
    }
  }

  /** A host as the primary of some files. */
  final class Primary {
    ClusterView view = viewNow();
    final SessionFence fence = new SessionFence(() -> view);
    final Map<Long, CompletableFuture<Void>> operations = new HashMap<>();
    long fenced;

    CompletableFuture<Void> write(AsyncMount.Shipped write, long operation) {
      boolean fences = mistake != Mistake.NO_FENCE;
      CompletableFuture<Void> known = operations.get(operation);
      try {
        if (fences) {
          fence.begin(write.session());
        }
      } catch (TrefoilException e) {
        return CompletableFuture.failedFuture(e);
      }
      if (fences && mistake == Mistake.FENCE_FORGETS_WHAT_IS_UNDER_WAY) {
        fence.ended(write.session());
        fences = false;
      }
      if (known == null) {
        known = new CompletableFuture<>();
        operations.put(operation, known);
        CompletableFuture<Void> done = known;
        later(
            delay(5, 2500),
            () -> {
              apply(write);
              done.complete(null);
            });
      }
      return fences ? known.whenComplete((_, _) -> fence.ended(write.session())) : known;
    }
  }

  private AsyncSimulation(long seed, Mistake mistake) {
    random = new Random(seed);
    this.mistake = mistake;
    table = new SessionTable(new Clock());
    table.startLeading();
    for (int i = 0; i < HOSTS; i++) {
      Primary host = new Primary();
      hosts.add(host);
      every(250, () -> beat(host));
    }
    for (int i = 0; i < MOUNTS; i++) {
      mounts.add(new AsyncMount(this, i));
    }
    every(100, this::lead);
  }

  /** Plays a run; throws what it found. */
  static AsyncSimulation play(long seed, Mistake mistake) {
    AsyncSimulation simulation = new AsyncSimulation(seed, mistake);
    simulation.run(FAULTS);
    simulation.faulty = false;
    simulation.mounts.forEach(AsyncMount::calm);
    simulation.run(FAULTS + CALM);
    simulation.mounts.forEach(AsyncMount::checkWell);
    return simulation;
  }

  private void run(long until) {
    while (!events.isEmpty() && events.peek().at <= until) {
      Event event = events.remove();
      now = event.at;
      event.action.run();
    }
    now = until;
  }

  // ---- time and links

  long now() {
    return now;
  }

  boolean isFaulty() {
    return faulty;
  }

  void later(long nanos, Runnable action) {
    events.add(new Event(now + nanos, order++, action));
  }

  void every(long millis, Runnable action) {
    later(
        (long) (millis * MS * (0.5 + random.nextDouble())),
        () -> {
          action.run();
          every(millis, action);
        });
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  /** Mostly a few milliseconds; while there are faults, now and then up to {@code longest}. */
  long delay(int usual, int longest) {
    long millis =
        faulty && chance(0.02) ? random.nextInt(1, longest) : random.nextInt(1, usual + 1);
    return millis * MS - random.nextInt((int) MS);
  }

  /**
   * A message there and its answer back; either may be lost, late, and the first may come twice.
   */
  <T> CompletableFuture<T> call(int longest, Supplier<CompletableFuture<T>> there) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    boolean standsStill = longest > 1000 && faulty && chance(0.1);
    int copies = faulty && chance(0.03) ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      if (faulty && chance(0.02)) {
        continue;
      }
      later(
          standsStill ? random.nextInt(1, longest) * MS : delay(3, longest),
          () ->
              there
                  .get()
                  .whenComplete(
                      (value, failure) -> {
                        if (faulty && chance(0.02)) {
                          return;
                        }
                        later(delay(3, 500), () -> complete(answer, value, failure));
                      }));
    }
    later(
        1000 * MS,
        () ->
            answer.completeExceptionally(
                new TrefoilException(Reason.OUTCOME_UNKNOWN, "no answer in time")));
    return answer;
  }

  private static <T> void complete(CompletableFuture<T> answer, T value, Throwable failure) {
    if (failure != null) {
      answer.completeExceptionally(failure);
    } else {
      answer.complete(value);
    }
  }

  /** A linearizable read, or a command that may be repeated: at one moment, and answered later. */
  <T> CompletableFuture<T> log(Supplier<T> command) {
    return call(
        800,
        () -> {
          try {
            return CompletableFuture.completedFuture(command.get());
          } catch (TrefoilException e) {
            return CompletableFuture.failedFuture(e);
          }
        });
  }

  /**
   * A numbered command of a session: a repeated one gets the first one's answer, and one that was
   * given up is refused once a later one has come, as the namespace's {@code Sessions} has it.
   */
  <T> CompletableFuture<T> operate(Numbers numbers, Supplier<T> command) {
    long number = ++numbers.last;
    numbers.pending.add(number);
    long oldest = numbers.pending.first();
    List<T> replies = new ArrayList<>();
    return log(() -> {
          if (number < numbers.floor) {
            throw new TrefoilException(Reason.STALE_VIEW, "given up before");
          }
          numbers.floor = Math.max(numbers.floor, oldest);
          if (replies.isEmpty()) {
            replies.add(command.get());
          }
          return replies.getFirst();
        })
        .whenComplete((reply, failure) -> numbers.pending.remove(number));
  }

  /** The numbers of a session's commands, at the mount and in the state log. */
  static final class Numbers {
    private final TreeSet<Long> pending = new TreeSet<>();
    private long last;
    private long floor;
  }

  CompletableFuture<Void> write(AsyncMount.Shipped write, long operation) {
    Primary host = hosts.get((int) (write.file() % HOSTS));
    // A primary that stands still reads what was sent to it when it goes on.
    return call(20_000, () -> host.write(write, operation));
  }

  // ---- the state log

  private ClusterView viewNow() {
    return ClusterView.of("c", Map.of(), Map.of(), sessions, PlacementTable.empty(epoch, 4));
  }

  private void changed() {
    epoch++;
    ClusterView view = viewNow();
    for (Primary host : hosts) {
      later(
          faulty && chance(0.2) ? random.nextInt(1, 2500) * MS : delay(10, 20),
          () -> {
            if (view.epoch() > host.view.epoch()) {
              host.view = view;
            }
          });
    }
  }

  long newSession() {
    return ++nextSession;
  }

  void openSession(long id) {
    if (!over.contains(id) && sessions.putIfAbsent(id, new SessionInfo(id, 1, "h", "/m")) == null) {
      opened.add(id);
      changed();
    }
  }

  void closeSession(long id) {
    if (sessions.remove(id) != null) {
      changed();
    }
  }

  boolean isOpen(long id) {
    return sessions.containsKey(id);
  }

  long epoch() {
    return epoch;
  }

  /** Who has the lease now. */
  long lease(long session, long file, int owner) {
    if (!over.contains(session) && holders.getOrDefault(file, 0L) == 0) {
      holders.put(file, session);
      if (lastOwner.getOrDefault(file, -1) != owner) {
        lastOwner.put(file, owner);
        generation.merge(file, 1L, Long::sum);
      }
    }
    return holders.getOrDefault(file, 0L);
  }

  long size(long file) {
    return sizes.getOrDefault(file, 0L);
  }

  /** Size and times grow; of a session that is over, nothing is taken. */
  void told(long session, Spool.Report report) {
    if (over.contains(session)) {
      throw new TrefoilException(Reason.STALE, "the session is over");
    }
    sizes.merge(report.inode(), report.end(), Math::max);
    times.merge(report.inode(), report.wallNanos(), Math::max);
  }

  long generation(long file) {
    return generation.getOrDefault(file, 0L);
  }

  void recall(long session, long file) {
    long holder = holders.getOrDefault(file, 0L);
    if (holder != 0 && holder != session) {
      recalls.computeIfAbsent(holder, any -> new HashSet<>()).add(file);
    }
  }

  Set<Long> recalls(long session) {
    return Set.copyOf(recalls.getOrDefault(session, Set.of()));
  }

  void unlease(long session, long file) {
    if (holders.remove(file, session)) {
      recalls.getOrDefault(session, new HashSet<>()).remove(file);
    }
  }

  void inherit(long from, long to) {
    if (over.contains(from)) {
      throw new TrefoilException(Reason.STALE, "the session is over");
    }
    if (opened.contains(from)) {
      predecessors.computeIfAbsent(to, any -> new HashSet<>()).add(from);
    }
    holders.replaceAll((file, holder) -> holder == from ? to : holder);
  }

  // ---- the leader

  boolean ping(long session) {
    if (!sessions.containsKey(session)) {
      throw new TrefoilException(Reason.STALE, "evicted");
    }
    return table.pinged(session, 0);
  }

  private void lead() {
    if (faulty && chance(0.003)) {
      table.stopLeading();
      table = new SessionTable(new Clock());
      table.startLeading();
    }
    table.expired(sessions.keySet()).forEach(this::closeSession);
    for (long id : opened) {
      if (!sessions.containsKey(id) && !over.contains(id)) {
        endedAt.putIfAbsent(id, epoch);
        boolean fenced = mistake == Mistake.NO_WAIT_FOR_FENCE || isFenced(endedAt.get(id));
        if (fenced && !succeedsAnOpenOne(id)) {
          drop(id);
        }
      }
    }
  }

  boolean isFenced(long since) {
    return hosts.stream().allMatch(host -> host.fenced >= since);
  }

  private boolean succeedsAnOpenOne(long session) {
    return mistake != Mistake.FORGETS_WHO_HAD_IT_BEFORE
        && !over.containsAll(predecessors.getOrDefault(session, Set.of()));
  }

  private void drop(long session) {
    over.add(session);
    holders.values().removeIf(holder -> holder == session);
  }

  private void beat(Primary host) {
    long fenced = host.fence.fenced();
    later(delay(3, 600), () -> host.fenced = Math.max(host.fenced, fenced));
  }

  // ---- what is checked

  private void apply(AsyncMount.Shipped write) {
    Violation.unless(
        generation(write.file()) == write.generation(),
        "%s",
        write
            + " is applied although the file was given to another since, generation "
            + generation(write.file()));
    write.spool().applied(write, size(write.file()), times.getOrDefault(write.file(), 0L));
    applied++;
  }
}
