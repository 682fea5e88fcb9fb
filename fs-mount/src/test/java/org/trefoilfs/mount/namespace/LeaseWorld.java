package org.trefoilfs.mount.namespace;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.lease.Change;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.lease.LeasedReply;
import org.trefoilfs.replication.statelog.lease.ReadLeases;

/**
 * Mounts with their kernels, a state log with its leaders, and what lies between them, in simulated
 * time on one thread: messages are late or lost, daemons freeze while their kernels go on, mounts
 * are cut off, leaders change, clocks drift. Whatever a mount's user is told is compared with the
 * order in which changes were applied: nobody may see less than somebody has seen before.
 */
final class LeaseWorld {
  private static final long MS = 1_000_000;

  /** Before another leads, the leader is not sure any longer that it does. */
  private static final Duration SILENCE = Duration.ofMillis(240);

  private static final byte ID = NamespaceModule.ID;

  /** What is broken on purpose, to see that it is noticed. */
  enum Defect {
    NONE,
    NOBODY_IS_TOLD,
    ANSWERED_AT_ONCE,
    NEW_LEADER_ANSWERS_AT_ONCE,
    SILENCE_IS_NOT_KEPT,
    RETRY_ANSWERED_AT_ONCE,
    KERNEL_REMEMBERS,
    KERNEL_OUTLIVES_LEASE,
    OWN_CHANGES_UNKNOWN,
  }

  private record Event(long at, long number, Runnable action) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(
          (a, b) -> a.at != b.at ? Long.compare(a.at, b.at) : Long.compare(a.number, b.number));

  private final Random random;
  private final Defect defect;
  private final InMemoryKeyValue state = new InMemoryKeyValue();
  private final NamespaceModule module = new NamespaceModule();
  private final Map<Object, Register> registers = new HashMap<>();
  private final List<Mount> mounts = new ArrayList<>();
  private final long root;
  private final List<Long> files = new ArrayList<>();
  private Leader leader;
  private long now = 1_000 * MS;
  private long lastEvent;
  private int lastOwner;
  private boolean faulty = true;
  int reads;
  int fromKernel;
  int fromDaemon;

  LeaseWorld(long seed, Defect defect, int mountCount) {
    this.random = new Random(seed);
    this.defect = defect;
    this.leader = new Leader(1);
    byte[] opened = module.apply(state, new Command.EnsureRoot(1, 1, 1).toBytes());
    this.root = ((Reply.Root) Reply.of(opened)).inode();
    for (int i = 0; i < mountCount; i++) {
      mounts.add(new Mount(100 + i));
    }
    Mount first = mounts.getFirst();
    faulty = false;
    for (String name : List.of("f", "g", "h")) {
      var made = first.names.create(Location.of(root, name.getBytes()), node());
      runUntil(made::isDone);
      files.add(made.join().inode());
    }
    faulty = true;
  }

  private static NewInode node() {
    return new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
  }

  // ---- time

  private final class Clock implements TimeSource {
    final double rate;
    final long origin = random.nextInt(1_000_000_000);

    Clock(double rate) {
      this.rate = rate;
    }

    @Override
    public long nanoTime() {
      return origin + (long) (now * rate);
    }

    @Override
    public long wallNanos() {
      return now;
    }
  }

  private Clock drifting() {
    return new Clock(1 + (random.nextDouble() - 0.5) * 0.04);
  }

  private void after(long nanos, Runnable action) {
    events.add(new Event(now + nanos, lastEvent++, action));
  }

  private boolean step() {
    Event next = events.poll();
    if (next == null) {
      return false;
    }
    now = next.at;
    next.action.run();
    return true;
  }

  private void runUntil(Supplier<Boolean> done) {
    while (!done.get()) {
      if (!step()) {
        throw new AssertionError("nothing happens any more");
      }
    }
  }

  /** How long a message takes: mostly a fraction of a millisecond, at times most of a second. */
  private long delay() {
    int kind = faulty ? random.nextInt(100) : 99;
    return kind == 0
        ? random.nextLong(900 * MS)
        : kind < 5 ? random.nextLong(30 * MS) : 50_000 + random.nextInt(300_000);
  }

  private boolean lost() {
    return faulty && random.nextInt(150) == 0;
  }

  // ---- the leader

  private final class Leader {
    final ReadLeases leases = new ReadLeases(drifting());
    final long term;

    /** No majority confirms that it leads: it renews nothing, and answers nothing. */
    boolean unsure;

    Leader(long term) {
      this.term = term;
      leases.startLeading(
          defect == Defect.NEW_LEADER_ANSWERS_AT_ONCE ? 1 : term,
          defect == Defect.SILENCE_IS_NOT_KEPT ? ReadLeases.TERM : SILENCE);
      tick();
    }

    private void tick() {
      leases.tick();
      after(25 * MS, this::tick);
    }

    CompletableFuture<byte[]> submit(byte[] command) {
      List<CompletableFuture<?>> forgotten = new ArrayList<>();
      boolean[] fresh = new boolean[1];
      byte[] reply =
          module.apply(
              new Applying(change -> forgotten.add(leases.changing(change)), fresh), command);
      boolean waits =
          defect != Defect.ANSWERED_AT_ONCE
              && (fresh[0] || defect != Defect.RETRY_ANSWERED_AT_ONCE);
      observe();
      return waits
          ? CompletableFuture.allOf(forgotten.toArray(CompletableFuture[]::new))
              .thenApply(known -> reply)
          : CompletableFuture.completedFuture(reply);
    }

    CompletableFuture<byte[]> lease(byte[] query, long session, boolean wanted) {
      long before = leases.changes();
      List<Long> read = new ArrayList<>();
      byte[] reply = module.query(new Reading(read), query);
      ReadLeases.Verdict verdict = leases.read(session, wanted, read, before);
      return verdict
          .clear()
          .thenApply(clear -> new LeasedReply(reply, verdict.generation()).toBytes());
    }
  }

  private final class Applying implements KeyValue {
    private final java.util.function.Consumer<Change> listener;
    private final boolean[] fresh;

    Applying(java.util.function.Consumer<Change> listener, boolean[] fresh) {
      this.listener = listener;
      this.fresh = fresh;
    }

    @Override
    public void changes(Change change) {
      switch (defect) {
        case NOBODY_IS_TOLD -> {}
        case OWN_CHANGES_UNKNOWN ->
            listener.accept(
                new Change(change.session(), change.sequence(), Long.MAX_VALUE, change.keys()));
        default -> listener.accept(change);
      }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
      return state.get(key);
    }

    @Override
    public void scan(byte[] prefix, byte[] from, Visitor visitor) {
      state.scan(prefix, from, visitor);
    }

    @Override
    public void put(byte[] key, byte[] value) {
      fresh[0] |= key[0] == 'r';
      state.put(key, value);
    }

    @Override
    public void delete(byte[] key) {
      state.delete(key);
    }
  }

  private final class Reading implements org.trefoilfs.replication.statelog.KeyValueReader {
    private final List<Long> read;

    Reading(List<Long> read) {
      this.read = read;
    }

    @Override
    public void reads(long lease) {
      read.add(lease);
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
      return state.get(key);
    }

    @Override
    public void scan(byte[] prefix, byte[] from, Visitor visitor) {
      state.scan(prefix, from, visitor);
    }
  }

  /** Before that the old leader is not sure to lead any longer, or is about to hand over. */
  private void changeLeader() {
    Leader old = leader;
    boolean handsOver = random.nextBoolean();
    if (defect != Defect.SILENCE_IS_NOT_KEPT) {
      if (handsOver) {
        old.leases.stopRenewing();
      } else {
        old.unsure = true;
      }
    }
    after(
        SILENCE.toNanos(),
        () -> {
          if (leader != old) {
            return;
          }
          registers.keySet().forEach(of -> note(of, () -> "another leader"));
          if (random.nextBoolean()) {
            // Whatever took the leader away may be in a mount's way, too.
            mounts.get(random.nextInt(mounts.size())).cutOff(random.nextLong(1000 * MS));
          }
          leader = new Leader(old.term + 1);
          old.leases.stopLeading();
        });
  }

  // ---- what is true

  /** The values of one row in the order in which they were applied, and what somebody has seen. */
  private static final class Register {
    final List<Object> values = new ArrayList<>();
    final Deque<String> trace = new ArrayDeque<>();
    int seen;

    /** The first value like this that nobody has seen a later one than; none: it is too old. */
    OptionalInt find(Object value, int from) {
      for (int i = from; i < values.size(); i++) {
        if (values.get(i).equals(value)) {
          return OptionalInt.of(i);
        }
      }
      return OptionalInt.empty();
    }
  }

  private void observe() {
    for (String name : NAMES) {
      observe(name, entry(name));
    }
    for (long file : files) {
      observe(file, owner(file));
    }
  }

  private void observe(Object of, Object value) {
    Register register = registers.computeIfAbsent(of, any -> new Register());
    if (register.values.isEmpty() || !register.values.getLast().equals(value)) {
      register.values.add(value);
      note(of, () -> "becomes " + value);
    }
  }

  private void note(Object of, Supplier<String> what) {
    Deque<String> trace = registers.get(of).trace;
    trace.add(now / 1000 + " us: " + what.get());
    if (trace.size() > 900) {
      trace.removeFirst();
    }
  }

  private Object entry(String name) {
    TreeReader.Child child = new TreeReader(state, 1).find(root, name.getBytes());
    return child == null ? 0L : child.inode();
  }

  private Object owner(long file) {
    Inode inode = new TreeReader(state, 1).find(file);
    return inode == null ? -1 : inode.uid;
  }

  static final List<String> NAMES = List.of("a", "b", "c");

  /** A user is told this, who asked when so much had been seen. */
  private void told(Object of, Object value, int since, String how) {
    Register register = registers.get(of);
    OptionalInt index = register.find(value, since);
    note(of, () -> how + " says " + value);
    if (index.isEmpty()) {
      throw new Violation(
          "%s of %s says %s: %s, of which %d was seen before it was asked%n%s"
              .formatted(
                  how, of, value, register.values, since, String.join("\n", register.trace)));
    }
    register.seen = Math.max(register.seen, index.getAsInt());
    reads++;
  }

  static final class Violation extends RuntimeException {
    Violation(String message) {
      super(message);
    }
  }

  // ---- mounts

  private final class Mount implements StateLog, LookupCache.Kernel {
    final long session;
    final Clock clock = drifting();
    final LookupCache cache = new LookupCache(clock, 1000, Duration.ofMillis(random.nextInt(50)));
    final StateLogNames names;
    final Map<Object, Cached> kernel = new HashMap<>();
    final Map<Object, Integer> versions = new HashMap<>();
    private long frozenUntil;
    private long cutOffUntil;

    /** As the lock of the directory in the kernel: many lookups at a time, or one change. */
    private int lookups;

    private boolean changing;

    private record Cached(Object value, long until) {}

    Mount(long session) {
      this.session = session;
      cache.serves(this);
      cache.givesEntries(true);
      var opened = StateLogNames.open(this, 1, session, clock, cache);
      runUntil(opened::isDone);
      names = opened.join();
    }

    /** When its daemon runs. */
    void daemon(Runnable action) {
      if (frozenUntil > now) {
        after(frozenUntil - now + 1, () -> daemon(action));
      } else {
        action.run();
      }
    }

    void freeze(long nanos) {
      frozenUntil = now + nanos;
      registers.keySet().forEach(of -> note(of, () -> session + " freezes for " + nanos / 1000));
    }

    /** What it sends, and is sent, is lost for so long. */
    void cutOff(long nanos) {
      cutOffUntil = now + nanos;
      registers.keySet().forEach(of -> note(of, () -> session + " is cut off for " + nanos / 1000));
    }

    private boolean loses() {
      return lost() || now < cutOffUntil;
    }

    // -- the state log as it sees it

    @Override
    public CompletableFuture<byte[]> submit(byte number, byte[] command) {
      CompletableFuture<byte[]> result = new CompletableFuture<>();
      send(result, leading -> leading.submit(command), true);
      return result;
    }

    @Override
    public CompletableFuture<byte[]> query(byte number, byte[] query) {
      return lease(number, query, 0, false).thenApply(LeasedReply::reply);
    }

    @Override
    public CompletableFuture<LeasedReply> lease(
        byte number, byte[] query, long from, boolean wanted) {
      CompletableFuture<byte[]> result = new CompletableFuture<>();
      send(result, leading -> leading.lease(query, from, wanted), true);
      return result.thenApply(LeasedReply::of);
    }

    @Override
    public CompletableFuture<LeaseNews> keepLeases(LeaseReport report) {
      CompletableFuture<byte[]> result = new CompletableFuture<>();
      send(
          result,
          leading -> leading.leases.keep(report).thenApply(LeaseNews::toBytes),
          random.nextBoolean());
      return result.thenApply(LeaseNews::of);
    }

    private void send(
        CompletableFuture<byte[]> result,
        Function<Leader, CompletableFuture<byte[]>> request,
        boolean again) {
      boolean[] over = new boolean[1];
      Runnable retry =
          () ->
              daemon(
                  () -> {
                    if (over[0]) {
                      return;
                    }
                    over[0] = true;
                    if (again) {
                      send(result, request, true);
                    } else {
                      result.completeExceptionally(
                          new TrefoilException(Reason.UNAVAILABLE, "no answer"));
                    }
                  });
      if (!loses()) {
        after(
            delay(),
            () -> {
              Leader asked = leader;
              if (asked.unsure) {
                after(50 * MS, retry);
                return;
              }
              request
                  .apply(asked)
                  .whenComplete(
                      (reply, failure) -> {
                        if (failure != null || asked != leader) {
                          after(50 * MS, retry);
                        } else if (!loses()) {
                          after(delay(), () -> daemon(() -> answered(over, result, reply)));
                        }
                      });
            });
      }
      after(1_000 * MS, retry);
    }

    private static void answered(boolean[] over, CompletableFuture<byte[]> result, byte[] reply) {
      if (!over[0]) {
        over[0] = true;
        result.complete(reply);
      }
    }

    // -- the kernel

    @Override
    public CompletableFuture<?> forgetEntry(long parent, byte[] name) {
      // At times some call holds the directory's lock.
      long wait = random.nextInt(10) == 0 ? random.nextLong(1500 * MS) : 0;
      CompletableFuture<Object> done = new CompletableFuture<>();
      after(
          wait,
          () -> {
            forget(new String(name));
            daemon(() -> done.complete(name));
          });
      return done;
    }

    @Override
    public CompletableFuture<?> forgetAttributes(long inode) {
      forget(inode);
      return CompletableFuture.completedFuture(null);
    }

    private void forget(Object of) {
      note(of, () -> "the kernel of " + session + " forgets");
      if (defect != Defect.KERNEL_REMEMBERS) {
        supersede(of);
      }
    }

    /**
     * An answer takes the place of what there was, if nothing has since it was asked for
     * (attr_version of fs/fuse/inode.c, the directory's lock for names). Its time counts from when
     * the caller runs.
     */
    private void remember(Object of, Object value, long nanos, int asked) {
      kernel.remove(of);
      long given = defect == Defect.KERNEL_OUTLIVES_LEASE ? nanos * 3 : nanos;
      long scheduled = faulty && random.nextInt(20) == 0 ? random.nextLong(150 * MS) : 0;
      after(
          scheduled,
          () -> {
            if (version(of) == asked) {
              supersede(of);
              if (given > 0) {
                note(
                    of, () -> "the kernel of " + session + " remembers " + value + " for " + given);
                kernel.put(of, new Cached(value, clock.nanoTime() + given));
              }
            }
          });
    }

    private int version(Object of) {
      return versions.getOrDefault(of, 0);
    }

    private void supersede(Object of) {
      kernel.remove(of);
      versions.merge(of, 1, Integer::sum);
    }

    private @Nullable Object remembered(Object of) {
      Cached cached = kernel.get(of);
      return cached == null || clock.nanoTime() - cached.until >= 0 ? null : cached.value;
    }

    // -- its users

    private void read(Object of, Location at, ToLongBiFunction<Object, Attributes> nanos) {
      int since = registers.get(of).seen;
      Object known = remembered(of);
      if (known != null) {
        fromKernel++;
        told(of, known, since, "the kernel of " + session);
        return;
      }
      int asks = version(of);
      int locks = of instanceof String ? 1 : 0;
      lookups += locks;
      daemon(
          () -> {
            var asked = names.lookup(at);
            if (asked.isDone()) {
              fromDaemon++;
            }
            asked.whenComplete(
                (found, failure) -> {
                  if (failure != null
                      && TrefoilException.of(failure).reason() != Reason.NOT_FOUND) {
                    throw new AssertionError(failure);
                  }
                  Object value =
                      of instanceof String ? found == null ? 0L : found.inode() : owner(found);
                  cache.answering(
                      () -> {
                        remember(of, value, nanos.applyAsLong(value, found), asks);
                        return 0;
                      });
                  told(of, value, since, "mount " + session);
                  lookups -= locks;
                });
          });
    }

    private static Object owner(@Nullable Attributes found) {
      return found == null ? -1 : found.uid();
    }

    void lookup(String name) {
      if (changing && remembered(name) == null) {
        return;
      }
      byte[] bytes = name.getBytes();
      read(
          name,
          Location.of(root, bytes),
          (value, found) -> cache.entryNanos(root, bytes, (Long) value));
    }

    void stat(long file) {
      read(
          file,
          Location.of(file),
          (value, found) -> found == null ? 0 : cache.attributeNanos(found));
    }

    void toggle(String name) {
      if (changing || lookups > 0) {
        return;
      }
      changing = true;
      Location at = Location.of(root, name.getBytes());
      CompletableFuture<?> changed =
          entry(name).equals(0L) ? names.create(at, node()) : names.unlink(at);
      changed.whenComplete(
          (done, failure) -> {
            // Its own kernel learns by the answer.
            supersede(name);
            changing = false;
            if (failure == null && done instanceof Attributes made) {
              registers.get(name).seen =
                  Math.max(
                      registers.get(name).seen,
                      registers.get(name).find(made.inode(), 0).orElseThrow());
            }
          });
    }

    void chown(long file) {
      int owner = ++lastOwner;
      var change =
          new AttributeChange(
              OptionalInt.empty(),
              OptionalInt.of(owner),
              OptionalInt.empty(),
              java.util.OptionalLong.empty(),
              AttributeChange.Times.UNCHANGED);
      names
          .setAttributes(Location.of(file), change)
          .thenAccept(
              done -> {
                supersede(file);
                note(file, () -> session + " has made it " + owner);
                Register register = registers.get(file);
                register.seen = Math.max(register.seen, register.find(owner, 0).orElseThrow());
              });
    }
  }

  // ---- what happens

  /** Users of all mounts do so many things. */
  void run(int operations) {
    observe();
    int[] left = {operations};
    for (Mount mount : mounts) {
      for (int user = 0; user < 3; user++) {
        act(mount, left);
      }
    }
    misfortune(left);
    runUntil(() -> left[0] <= 0);
    faulty = false;
    long end = now + 5_000 * MS;
    runUntil(() -> now > end);
    for (Mount mount : mounts) {
      NAMES.forEach(mount::lookup);
      files.forEach(mount::stat);
    }
    long last = now + 3_000 * MS;
    runUntil(() -> now > last);
  }

  private void act(Mount mount, int[] left) {
    if (left[0]-- <= 0) {
      return;
    }
    String name = NAMES.get(random.nextInt(NAMES.size()));
    long file = files.get(random.nextInt(files.size()));
    int kind = random.nextInt(40);
    switch (kind) {
      case 0 -> mount.daemon(() -> mount.toggle(name));
      case 1 -> mount.daemon(() -> mount.chown(file));
      default -> {
        if (kind % 2 == 0) {
          mount.lookup(name);
        } else {
          mount.stat(file);
        }
      }
    }
    after(random.nextLong(4 * MS), () -> act(mount, left));
  }

  private void misfortune(int[] left) {
    after(
        200 * MS + random.nextLong(1500 * MS),
        () -> {
          if (left[0] <= 0) {
            return;
          }
          if (random.nextInt(3) == 0) {
            changeLeader();
          } else {
            mounts.get(random.nextInt(mounts.size())).freeze(random.nextLong(2500 * MS));
          }
          misfortune(left);
        });
  }
}
