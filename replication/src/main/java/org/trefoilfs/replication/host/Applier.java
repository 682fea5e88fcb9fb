package org.trefoilfs.replication.host;

import java.io.Closeable;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.ImageMerge;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.journal.JournalRecord;

/**
 * Applies committed entries and installs images in the chunk store, lazily: only after their
 * journal records are on stable storage, and the one that says that they are committed, so that a
 * chunk file never holds what a replay of the journal would not redo. Until then reads overlay the
 * entries.
 *
 * <p>Locks: a stripe per chunk, taken alone. Readers share it; applying and installing exclude
 * them.
 */
final class Applier implements Closeable {
  /** What a queued entry costs beside its data. */
  private static final int ENTRY_OVERHEAD = 200;

  /**
   * How long entries gather before the journal is synced for their sake, and how many bytes at
   * most: the sync is the dear part, and until then reads are served from memory.
   */
  private static final long LINGER_NANOS = 100_000_000L;

  private static final long LINGER_BYTES = 16L << 20;

  /** Entries in one batch: bounds how long a barrier waits behind one. */
  private static final int MAX_BATCH = 2048;

  private static final Logger log = LoggerFactory.getLogger(Applier.class);

  /** A disk without room for a record of a few bytes is asked again after so long. */
  private static final Duration FULL_PAUSE = Duration.ofMillis(100);

  private final Journal journal;
  private final ChunkStore store;
  private final Groups groups;
  private final Consumer<TrefoilException> fatal;
  private final LinkedBlockingQueue<Work> queue = new LinkedBlockingQueue<>();
  private final ConcurrentHashMap<ChunkId, Queue<Entry>> overlay = new ConcurrentHashMap<>();
  private final ReadWriteLock[] stripes = new ReadWriteLock[256];
  private final AtomicLong backlogBytes = new AtomicLong();

  /** Journal positions of images that are not in the store yet. */
  private final Set<Long> imagesWaiting = ConcurrentHashMap.newKeySet();

  private final Thread thread;

  /**
   * Chunks whose damage under a partial write waits for another replica; their entries stay in the
   * overlay.
   */
  private final Set<ChunkId> damaged = ConcurrentHashMap.newKeySet();

  /** Chunks whose entries wait, in the overlay, for space on the disk. */
  private final Set<ChunkId> starved = ConcurrentHashMap.newKeySet();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition hurry = lock.newCondition();

  /** Barriers and images in the queue: somebody waits. Guarded by {@link #lock}. */
  private int barriers;

  private final DamageListener onDamage;
  private volatile boolean closed;

  /** Told of a chunk that could not be written because a block of it is damaged; must not block. */
  @FunctionalInterface
  interface DamageListener {
    void damaged(int pg, ChunkId chunk, TrefoilException why);
  }

  private sealed interface Work {
    record Apply(Entry entry) implements Work {}

    record Barrier(CompletableFuture<Void> reached) implements Work {}

    /**
     * @param install returns whether the image was installed
     */
    record Install(
        long position, ChunkImage image, BooleanSupplier install, CompletableFuture<Boolean> done)
        implements Work {}
  }

  /** What the applier asks of the groups; each call takes the group's lock. */
  interface Groups {
    /** Journals a group's commit index, and returns the record's position. */
    long journalCommitted(int pg);

    /** See {@link GroupLog#imageAt}. */
    void imageJournaled(int pg, long position);
  }

  Applier(
      Journal journal,
      ChunkStore store,
      Groups groups,
      DamageListener onDamage,
      Consumer<TrefoilException> fatal) {
    this.journal = journal;
    this.store = store;
    this.groups = groups;
    this.fatal = fatal;
    this.onDamage = onDamage;
    for (int i = 0; i < stripes.length; i++) {
      stripes[i] = new ReentrantReadWriteLock();
    }
    thread = Thread.ofPlatform().name("trefoil-apply").daemon().start(this::run);
  }

  /** Queues a committed entry; per chunk in the order of calls. */
  void committed(Entry entry) {
    overlay.compute(
        entry.mutation().chunk(),
        (_, waiting) -> {
          Queue<Entry> entries = waiting == null ? new ConcurrentLinkedQueue<>() : waiting;
          entries.add(entry);
          return entries;
        });
    queue.add(new Work.Apply(entry));
    if (backlogBytes.addAndGet(cost(entry)) >= LINGER_BYTES) {
      hurryUp(0);
    }
  }

  /**
   * To be called for all that a thread waits for: it cannot come any longer once this is closed.
   */
  private void queueAwaited(Work work, CompletableFuture<?> awaited) {
    queue.add(work);
    hurryUp(1);
    if (closed) {
      awaited.completeExceptionally(
          new TrefoilException(Reason.UNAVAILABLE, "this host is stopping"));
    }
  }

  private void hurryUp(int newBarriers) {
    lock.lock();
    try {
      barriers += newBarriers;
      hurry.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Committed bytes that are not in the store yet. */
  long backlogBytes() {
    return backlogBytes.get();
  }

  /** Whether committed writes wait for space on the disk. */
  boolean isStarved() {
    return !starved.isEmpty();
  }

  /** Committed bytes: what the store holds, and over it what waits to be applied. */
  ByteBuffer read(int pg, ChunkId chunk, int offset, int length) {
    ReadWriteLock stripe = stripe(chunk);
    stripe.readLock().lock();
    try {
      ByteBuffer bytes = store.read(pg, chunk, offset, length);
      Queue<Entry> waiting = overlay.get(chunk);
      if (waiting != null) {
        long applied = appliedNumber(pg, chunk);
        for (Entry entry : waiting) {
          if (entry.n() > applied) {
            bytes = overlay(bytes, offset, entry.mutation());
          }
        }
      }
      return bytes;
    } finally {
      stripe.readLock().unlock();
    }
  }

  /** Blocks of the chunk that hold, as committed, anything but zeros; see {@link #read}. */
  BlockSet allocated(int pg, ChunkId chunk) {
    ReadWriteLock stripe = stripe(chunk);
    stripe.readLock().lock();
    try {
      BlockSet blocks = store.allocated(pg, chunk);
      Queue<Entry> waiting = overlay.get(chunk);
      if (waiting != null) {
        long applied = appliedNumber(pg, chunk);
        for (Entry entry : waiting) {
          if (entry.n() > applied) {
            blocks.after(entry.mutation());
          }
        }
      }
      return blocks;
    } finally {
      stripe.readLock().unlock();
    }
  }

  /** Whether nothing of the chunk is stored, or committed and waiting to be. */
  boolean isAbsent(int pg, ChunkId chunk) {
    ReadWriteLock stripe = stripe(chunk);
    stripe.readLock().lock();
    try {
      return !overlay.containsKey(chunk) && store.info(pg, chunk).isEmpty();
    } finally {
      stripe.readLock().unlock();
    }
  }

  /** Blocks of the chunk as applied; see {@link #barrier} for bringing it up to date. */
  Optional<ChunkImage> image(int pg, ChunkId chunk, BlockSet blocks) {
    ReadWriteLock stripe = stripe(chunk);
    stripe.readLock().lock();
    try {
      return store.image(pg, chunk, blocks);
    } finally {
      stripe.readLock().unlock();
    }
  }

  /**
   * Replaces the chunk if the image is not older than what is applied here; the answer says whether
   * it did. Committed writes that wait to be applied go into it: one record of the journal must
   * hold what its replay, in order, will leave.
   */
  CompletableFuture<Boolean> install(int pg, ChunkImage image) {
    ReadWriteLock stripe = stripe(image.id());
    stripe.writeLock().lock();
    try {
      if (image.version().n() < appliedNumber(pg, image.id())) {
        return CompletableFuture.completedFuture(false);
      }
      ChunkImage merged = merged(image, waitingFor(image.id()));
      return journaled(
          new JournalRecord.Installed(pg, merged), merged, () -> installUnlessOlder(pg, merged));
    } finally {
      stripe.writeLock().unlock();
    }
  }

  /** What waited for space may have been applied since the image was journaled. */
  private boolean installUnlessOlder(int pg, ChunkImage image) {
    if (image.version().n() < appliedNumber(pg, image.id())) {
      return false;
    }
    installWithoutJournal(store, pg, image);
    return true;
  }

  /**
   * Replaces the chunk whatever is here: a joiner takes what its primary has. {@code kept} are
   * committed writes that came while the image was fetched. Done when it is in the store; what is
   * committed from now on comes after it.
   */
  CompletableFuture<Boolean> replace(int pg, ChunkImage image, List<Entry> kept) {
    discardWaiting(image.id());
    ChunkImage merged = merged(image, kept);
    return journaled(
        new JournalRecord.Installed(pg, merged),
        merged,
        () -> {
          installWithoutJournal(store, pg, merged);
          return true;
        });
  }

  /** What was put off is of the time before this host became a joiner; the image has it. */
  private void discardWaiting(ChunkId chunk) {
    ReadWriteLock stripe = stripe(chunk);
    stripe.writeLock().lock();
    try {
      waitingFor(chunk).forEach(this::applied);
      damaged.remove(chunk);
      starved.remove(chunk);
    } finally {
      stripe.writeLock().unlock();
    }
  }

  private List<Entry> waitingFor(ChunkId chunk) {
    return List.copyOf(overlay.getOrDefault(chunk, new ConcurrentLinkedQueue<>()));
  }

  private static ChunkImage merged(ChunkImage image, List<Entry> entries) {
    List<Entry> newer = entries.stream().filter(entry -> entry.n() > image.version().n()).toList();
    Version version = newer.isEmpty() ? image.version() : newer.getLast().version();
    return ImageMerge.merge(image, newer.stream().map(Entry::mutation).toList(), version);
  }

  /**
   * Replaces these blocks of a chunk; the others are as the primary has them. {@code kept}, all of
   * them to these blocks, are committed writes that came while the image was fetched. Done when
   * they are in the store.
   */
  CompletableFuture<Boolean> patch(int pg, ChunkImage image, BlockSet blocks, List<Entry> kept) {
    ChunkImage merged = merged(image, kept);
    return journaled(
        new JournalRecord.Patched(pg, merged, blocks),
        merged,
        () -> {
          patchWithoutJournal(store, pg, merged, blocks);
          return true;
        });
  }

  /**
   * To be called under the group's lock: then the images, and the writes committed meanwhile, come
   * into the store in the order of their records. An image that were there before its record is on
   * stable storage could be torn when the power fails, with nothing to redo it; and its checksum
   * table, if that alone had come to the disk, would be taken for the whole chunk.
   */
  private CompletableFuture<Boolean> journaled(
      JournalRecord record, ChunkImage image, BooleanSupplier install) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    long position = journal.append(record);
    groups.imageJournaled(record.pg(), position);
    imagesWaiting.add(position);
    backlogBytes.addAndGet(image.bytes());
    queueAwaited(new Work.Install(position, image, install, done), done);
    return done;
  }

  static void patchWithoutJournal(ChunkStore store, int pg, ChunkImage image, BlockSet blocks) {
    BlockSet holes = blocks.copy();
    image.extents().forEach(holes::remove);
    for (BlockSet.Range range : holes.ranges()) {
      Mutation hole = new Mutation.Punch(image.id(), range.offset(), range.length());
      store.apply(pg, hole, image.version(), ChunkStore.Redo.REDO);
    }
    for (Extent extent : image.extents()) {
      Mutation data = new Mutation.Write(image.id(), extent.offset(), extent.data());
      store.apply(pg, data, image.version(), ChunkStore.Redo.REDO);
    }
  }

  /** Chunks of the group to which committed writes could not be applied, and wait. */
  Set<ChunkId> putOff(int pg) {
    Set<ChunkId> putOff = new HashSet<>(damaged);
    putOff.addAll(starved);
    putOff.removeIf(
        chunk -> {
          Queue<Entry> waiting = overlay.get(chunk);
          Entry first = waiting == null ? null : waiting.peek();
          return first == null || first.pg() != pg;
        });
    return putOff;
  }

  static void installWithoutJournal(ChunkStore store, int pg, ChunkImage image) {
    if (image.version().equals(Version.NONE)) {
      store.apply(pg, new Mutation.Delete(image.id()), Version.NONE, ChunkStore.Redo.REDO);
    } else {
      store.install(pg, image);
    }
  }

  /** Completes when everything queued before has been applied. */
  CompletableFuture<Void> barrier() {
    CompletableFuture<Void> reached = new CompletableFuture<>();
    queueAwaited(new Work.Barrier(reached), reached);
    return reached;
  }

  private void run() {
    List<Work> batch = new ArrayList<>();
    try {
      while (!closed) {
        batch.clear();
        batch.add(queue.take());
        linger();
        queue.drainTo(batch, MAX_BATCH);
        applyBatch(batch);
      }
    } catch (InterruptedException e) {
      log.debug("applier stopped");
    } catch (RuntimeException e) {
      fatal.accept(TrefoilException.of(e));
      batch.addAll(queue);
      batch.forEach(work -> fail(work, e));
    }
  }

  /** Until enough has gathered, or somebody waits for a barrier. */
  private void linger() throws InterruptedException {
    lock.lock();
    try {
      long left = LINGER_NANOS;
      while (left > 0 && barriers == 0 && backlogBytes.get() < LINGER_BYTES && !closed) {
        left = hurry.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  private void applyBatch(List<Work> batch) throws InterruptedException {
    long position = 0;
    Set<Integer> groups = new HashSet<>();
    for (Work work : batch) {
      switch (work) {
        case Work.Apply(Entry entry) -> groups.add(entry.pg());
        case Work.Install install -> position = Math.max(position, install.position());
        case Work.Barrier _ -> {}
      }
    }
    for (int pg : groups) {
      position = Math.max(position, journalCommits(pg));
    }
    if (position > journal.synced()) {
      journal.sync(position).join();
    }
    for (Work work : batch) {
      switch (work) {
        case Work.Apply(Entry entry) -> apply(entry);
        case Work.Barrier(CompletableFuture<Void> reached) -> {
          hurryUp(-1);
          reached.complete(null);
        }
        case Work.Install install -> install(install);
      }
    }
  }

  /**
   * Its position is beyond those of the group's entries that wait here. Nothing can be applied, nor
   * written, while there is no room for it.
   */
  private long journalCommits(int pg) throws InterruptedException {
    while (true) {
      try {
        return groups.journalCommitted(pg);
      } catch (TrefoilException e) {
        if (e.reason() != Reason.NO_SPACE) {
          throw e;
        }
        log.error("committed writes wait for space in the journal: {}", e.getMessage());
        if (closed) {
          throw new InterruptedException("closed");
        }
        Thread.sleep(FULL_PAUSE);
      }
    }
  }

  private void install(Work.Install work) {
    hurryUp(-1);
    boolean installed;
    ReadWriteLock stripe = stripe(work.image().id());
    stripe.writeLock().lock();
    try {
      installed = work.install().getAsBoolean();
    } catch (TrefoilException e) {
      if (e.reason() != Reason.NO_SPACE) {
        throw e;
      }
      work.done().completeExceptionally(e);
      return;
    } finally {
      stripe.writeLock().unlock();
      imagesWaiting.remove(work.position());
      backlogBytes.addAndGet(-work.image().bytes());
    }
    work.done().complete(installed);
  }

  private void apply(Entry entry) {
    ChunkId chunk = entry.mutation().chunk();
    ReadWriteLock stripe = stripe(chunk);
    stripe.writeLock().lock();
    try {
      if (isNext(entry) && !damaged.contains(chunk) && !starved.contains(chunk)) {
        if (entry.n() > appliedNumber(entry.pg(), chunk)) {
          store.apply(entry.pg(), entry.mutation(), entry.version(), ChunkStore.Redo.FIRST);
        }
        applied(entry);
      }
    } catch (TrefoilException e) {
      putOff(entry, e);
    } finally {
      stripe.writeLock().unlock();
    }
  }

  /**
   * Whether all of the chunk's earlier entries are applied: one that was put off comes again, and
   * those behind it with it.
   */
  private boolean isNext(Entry entry) {
    Queue<Entry> waiting = overlay.get(entry.mutation().chunk());
    Entry next = waiting == null ? null : waiting.peek();
    return next != null && next.n() == entry.n();
  }

  private void putOff(Entry entry, TrefoilException why) {
    ChunkId chunk = entry.mutation().chunk();
    switch (why.reason()) {
      case CORRUPT -> {
        damaged.add(chunk);
        onDamage.damaged(entry.pg(), chunk, why);
      }
      case NO_SPACE -> {
        if (starved.isEmpty()) {
          log.error("committed writes wait for space: {}", why.getMessage());
        }
        starved.add(chunk);
      }
      default -> throw why;
    }
  }

  /** Applies again what waited for space. Called now and then. */
  void retryStarved() {
    for (ChunkId chunk : Set.copyOf(starved)) {
      ReadWriteLock stripe = stripe(chunk);
      stripe.writeLock().lock();
      try {
        dropWhatIsDeleted(chunk);
        starved.remove(chunk);
        applyWaiting(chunk);
      } finally {
        stripe.writeLock().unlock();
      }
    }
  }

  /** A deletion that follows makes the writes before it void, and needs no space. */
  private void dropWhatIsDeleted(ChunkId chunk) {
    List<Entry> waiting = List.copyOf(overlay.getOrDefault(chunk, new ConcurrentLinkedQueue<>()));
    for (int last = waiting.size() - 1; last > 0; last--) {
      if (waiting.get(last).mutation() instanceof Mutation.Delete) {
        waiting.subList(0, last).forEach(this::applied);
        return;
      }
    }
  }

  private void applied(Entry entry) {
    overlay.compute(
        entry.mutation().chunk(),
        (_, waiting) -> {
          if (waiting == null) {
            return null;
          }
          if (waiting.remove(entry)) {
            backlogBytes.addAndGet(-cost(entry));
          }
          return waiting.isEmpty() ? null : waiting;
        });
  }

  /** Applies the chunk's waiting entries, in order, after its damage was healed. */
  void retry(ChunkId chunk) {
    ReadWriteLock stripe = stripe(chunk);
    stripe.writeLock().lock();
    try {
      damaged.remove(chunk);
      applyWaiting(chunk);
    } finally {
      stripe.writeLock().unlock();
    }
  }

  private void applyWaiting(ChunkId chunk) {
    Queue<Entry> waiting = overlay.get(chunk);
    if (waiting != null) {
      List.copyOf(waiting).forEach(this::apply);
    }
  }

  /** Journal position before which every record is applied. */
  long oldestWaiting() {
    LongStream entries =
        overlay.values().stream().flatMap(Queue::stream).mapToLong(Entry::position);
    LongStream images = imagesWaiting.stream().mapToLong(Long::longValue);
    return LongStream.concat(entries, images).min().orElse(Long.MAX_VALUE);
  }

  private long appliedNumber(int pg, ChunkId chunk) {
    return store.info(pg, chunk).map(ChunkInfo::version).orElse(Version.NONE).n();
  }

  private static ByteBuffer overlay(ByteBuffer bytes, int offset, Mutation mutation) {
    ByteBuffer target =
        bytes.isReadOnly() ? ByteBuffer.allocate(bytes.remaining()).put(bytes).flip() : bytes;
    int end = offset + target.remaining();
    int base = target.position() - offset;
    switch (mutation) {
      case Mutation.Write(_, int at, ByteBuffer data) -> {
        int from = Math.max(offset, at);
        int to = Math.min(end, at + data.remaining());
        if (from < to) {
          target.put(base + from, data, data.position() + from - at, to - from);
        }
      }
      case Mutation.Punch(_, int at, int length) ->
          zero(target, base, Math.max(offset, at), Math.min(end, at + length));
      case Mutation.Delete _ -> zero(target, base, offset, end);
    }
    return target;
  }

  private static void zero(ByteBuffer target, int base, int from, int to) {
    if (from < to) {
      target.put(base + from, new byte[to - from]);
    }
  }

  private static void fail(Work work, RuntimeException why) {
    switch (work) {
      case Work.Apply _ -> {}
      case Work.Barrier barrier -> barrier.reached().completeExceptionally(why);
      case Work.Install install -> install.done().completeExceptionally(why);
    }
  }

  private static long cost(Entry entry) {
    return entry.mutation().bytes() + ENTRY_OVERHEAD;
  }

  private ReadWriteLock stripe(ChunkId chunk) {
    return stripes[chunk.hashCode() & 0x7fffffff & (stripes.length - 1)];
  }

  @Override
  public void close() {
    barrierQuietly();
    closed = true;
    // Not by an interrupt, which would close the chunk file that is being written.
    queue.add(new Work.Barrier(new CompletableFuture<>()));
    hurryUp(1);
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void barrierQuietly() {
    try {
      barrier().get(10, java.util.concurrent.TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      log.warn(
          "stopping before everything committed was applied; the journal will redo it: {}",
          e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
