package org.trefoilfs.mount.vfs;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.CommitRule;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.Names.Privileges;
import org.trefoilfs.mount.vfs.HeldLeases.Lease;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.spool.Shipper;
import org.trefoilfs.replication.spool.Spool;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolStore;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.volume.Volume;

/**
 * Asynchronous commit at one mount: writes go into the spool under the file's write lease, and are
 * shipped in order. A file whose lease another mount wants, or has, is written through.
 *
 * <p>Whatever changes names or attributes waits for the spool first, so that others, whatever dies,
 * see a prefix of what happened here.
 */
public final class WriteBack {
  private final Names names;
  private final TimeSource time;
  private final Waiting waiting;
  private final Predicate<CommitRule> async;
  private final HeldLeases leases;
  private final AppendLeases appends;
  private final WritingFiles writing;
  private final Set<Long> lost = ConcurrentHashMap.newKeySet();
  private volatile Current current;

  /**
   * A session's spool, and what ships it.
   *
   * @param alive whether the session's lease is known to go on: nobody was given its write leases
   */
  private record Current(Spool spool, Shipper shipper, BooleanSupplier alive) {}

  /**
   * @param async whether a file with this rule is to be committed asynchronously now
   */
  WriteBack(
      Names names, Volume volume, TimeSource time, Waiting waiting, Predicate<CommitRule> async) {
    this.names = names;
    this.time = time;
    this.waiting = waiting;
    this.async = async;
    this.leases = new HeldLeases(names, time, new Spooled(), names::unlease);
    this.appends = new AppendLeases(names, time, waiting);
    this.writing = new WritingFiles(names, time, waiting);
    Spool none = new Spool(SpoolStore.MEMORY, time, () -> SpoolLimits.DEFAULT);
    this.current = new Current(none, shipper(none, volume), () -> true);
  }

  private final class Spooled implements HeldLeases.Written {
    @Override
    public CompletableFuture<Void> drained(long inode) {
      return spool().drained(inode);
    }

    @Override
    public boolean holds(long inode) {
      return spool().holds(inode);
    }
  }

  /**
   * A session begins: its spool, the volume as that session writes it, and whether its lease goes
   * on.
   */
  public void attach(Spool spool, Volume volume, BooleanSupplier alive) {
    current = new Current(spool, shipper(spool, volume), alive);
  }

  private Shipper shipper(Spool spool, Volume volume) {
    return new Shipper(spool, new ShippingSink(names, volume));
  }

  /** Brings to the volume and the namespace what a spool holds. */
  public record ShippingSink(Names names, Volume volume) implements Shipper.Sink {
    @Override
    public Supplier<CompletableFuture<Void>> write(Spool.Batch batch) {
      return volume.prepareWrite(batch.inode(), batch.offset(), batch.data());
    }

    @Override
    public CompletableFuture<?> tell(Spool.Report report) {
      return names.wrote(
          report.inode(),
          report.from(),
          report.end(),
          report.wallNanos(),
          report.clearsSetId() ? Privileges.CLEAR_SET_ID : Privileges.KEEP);
    }

    @Override
    public CompletableFuture<?> pause(Duration pause) {
      return new CompletableFuture<@Nullable Void>()
          .completeOnTimeout(null, pause.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  /**
   * The session is over, and others may have what it had: nothing of the spool is shipped any more.
   * Each file of which something is lost says EIO once, at its next fsync or close.
   *
   * @return what is lost
   */
  public List<SpooledRange> evicted() {
    Current over = current;
    over.shipper.stop();
    List<SpooledRange> ranges = over.spool.ranges();
    ranges.forEach(range -> lost.add(range.inode()));
    leases.forget();
    appends.forget();
    writing.forget();
    over.spool.fail(
        new TrefoilException(
            Reason.IO,
            "this mount was out of touch with the cluster for too long and was evicted; what it"
                + " had not shipped is not in the volume"));
    return ranges;
  }

  /**
   * Of these files an earlier daemon's spool was lost, in part or whole: each says EIO once, at its
   * next fsync or close.
   */
  public void lost(Collection<Long> inodes) {
    lost.addAll(inodes);
  }

  /** Gives all leases back, once what was written under them is committed. */
  public CompletableFuture<Void> letGo() {
    return CompletableFuture.allOf(leases.endAll(), appends.letGo(), writing.letGo());
  }

  /** Which files are written through. */
  WritingFiles writing() {
    return writing;
  }

  /** How appends to files that are written through are kept apart from other mounts'. */
  AppendLeases appends() {
    return appends;
  }

  /** What would be lost now. */
  public SpoolWindow window() {
    return spool().window();
  }

  public List<SpooledRange> ranges() {
    return spool().ranges();
  }

  /** Which bytes of the file are not all at the replicas, or of which its size is not told. */
  List<SpooledRange> held(long inode) {
    Spool spool = spool();
    return spool.isEmpty() ? List.of() : spool.ranges(inode);
  }

  private Spool spool() {
    return current.spool;
  }

  // ---- what others may have

  /** The inode as it is when no other mount holds back any of it. */
  Attributes settled(Supplier<CompletableFuture<Attributes>> ask) {
    Attributes found = waiting.read(ask.get());
    return isForeign(found) ? recalled(found, ask) : found;
  }

  private Attributes recalled(Attributes found, Supplier<CompletableFuture<Attributes>> ask) {
    leases.contend(found.inode());
    long[] asked = new long[1];
    return waiting.until(
        () -> {
          Attributes now = waiting.read(ask.get());
          if (isForeign(now) && now.holder() != asked[0]) {
            asked[0] = now.holder();
            waiting.<@Nullable Void>change(names.recall(now.inode()));
          }
          return now;
        },
        now -> !isForeign(now));
  }

  boolean isForeign(Attributes found) {
    return found.holder() != 0 && found.holder() != names.session();
  }

  /** The attributes, with what waits here laid over them. */
  Attributes overlaid(Attributes found) {
    Spool spool = spool();
    long end = spool.end(found.inode());
    long wallNanos = spool.wallNanos(found.inode());
    return end <= found.size() && wallNanos <= found.mtime()
        ? found
        : found.written(end, wallNanos);
  }

  // ---- reading

  /** The file's size, if this mount alone decides on it. */
  @Nullable Long size(long inode) {
    Lease lease = leases.get(inode);
    return lease == null || lease.isEnding() || !isAlive() ? null : (Long) lease.size();
  }

  boolean isAlive() {
    return current.alive.getAsBoolean();
  }

  /** Reads the volume's bytes with what waits here over them. */
  ByteBuffer read(long inode, Supplier<ByteBuffer> volume, long offset) {
    while (true) {
      Spool spool = spool();
      if (spool.isEmpty()) {
        return volume.get();
      }
      long ships = spool.ships(inode);
      ByteBuffer bytes = volume.get();
      if (ships < 0 && !spool.holds(inode)) {
        return bytes;
      }
      ByteBuffer own = ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
      if (spool.overlay(inode, offset, own, ships)) {
        return own;
      }
    }
  }

  // ---- writing

  /**
   * Whether the write was taken; if not, it is to be written through. IO when the session in which
   * alone it may be made is over.
   */
  boolean write(OpenInode inode, WriteRequest request, OptionalLong session) {
    if (!isAsync(inode)) {
      end(inode.number());
      return false;
    }
    Lease lease = lease(inode);
    if (lease == null) {
      return false;
    }
    // A lease that was held before the session changed has ended; one that is new is the new one's.
    if (session.isPresent() && session.getAsLong() != names.session()) {
      throw isOver(inode.number());
    }
    var lock = request.append() ? inode.exclusive() : inode.shared();
    waiting.lock(lock);
    try {
      return put(lease, request);
    } finally {
      lock.unlock();
    }
  }

  /** Of a file that was locked in an earlier session. */
  static TrefoilException isOver(long inode) {
    return new TrefoilException(
        Reason.IO, "the session is over in which inode " + inode + " was locked");
  }

  /** Whether the file is to be committed asynchronously now. */
  boolean isAsync(OpenInode inode) {
    return async.test(inode.commit());
  }

  /** Whether another mount may have the lease of such a file: then it is asked for beforehand. */
  boolean mayBeLeased(OpenInode inode) {
    return isAsync(inode) || leases.isContended(inode.number());
  }

  private @Nullable Lease lease(OpenInode inode) {
    awaitAlive();
    Lease held = leases.get(inode.number());
    if (held != null && !held.isEnding()) {
      return held;
    }
    if (held != null) {
      waiting.<@Nullable Void>change(held.gone);
    }
    if (leases.isContended(inode.number())) {
      return null;
    }
    waiting.lock(inode.exclusive());
    try {
      held = leases.get(inode.number());
      return held == null ? acquire(inode) : held;
    } finally {
      inode.exclusive().unlock();
    }
  }

  private @Nullable Lease acquire(OpenInode inode) {
    waiting.change(inode.reports().drain());
    Attributes found;
    try {
      found = inode.seen(waiting.change(names.lease(inode.number())));
    } catch (TrefoilException e) {
      leases.doubtful(inode.number());
      throw e;
    }
    if (found.holder() != names.session()) {
      leases.contend(inode.number());
      return null;
    }
    return leases.granted(inode.number(), found.holder(), found.size());
  }

  /** Of a session whose lease may have run out, nothing is taken before that is known. */
  private void awaitAlive() {
    if (!isAlive()) {
      waiting.until(this::isAlive, alive -> alive);
    }
  }

  private boolean put(Lease lease, WriteRequest request) {
    while (true) {
      CompletableFuture<Void> room;
      synchronized (lease) {
        if (lease.isEnding()) {
          return false;
        }
        if (offer(lease, request)) {
          break;
        }
        room = spool().room();
      }
      awaitRoom(room);
    }
    current.shipper.wake();
    return true;
  }

  private void awaitRoom(CompletableFuture<Void> room) {
    long began = time.nanoTime();
    try {
      waiting.change(room);
    } finally {
      spool().slowed(time.nanoTime() - began);
    }
  }

  private boolean offer(Lease lease, WriteRequest request) {
    long size = lease.size();
    long offset = request.append() ? size : request.offset();
    ByteBuffer data = request.data();
    boolean clearsSetId = !request.caller().isRoot();
    Optional<Long> taken =
        spool().offer(lease.inode, size, offset, data, time.wallNanos(), clearsSetId);
    taken.ifPresent(number -> lease.wrote(offset + data.remaining(), time.nanoTime()));
    return taken.isPresent();
  }

  // ---- waiting for what was written

  /** Everything written here up to now is committed. */
  void drain() {
    if (!spool().isEmpty()) {
      waiting.change(spool().drained());
    }
  }

  /** What was written to the file is committed. EIO, once, if some of it was lost. */
  void drain(long inode) {
    if (lost.remove(inode)) {
      throw new TrefoilException(
          Reason.IO,
          "writes to inode " + inode + " were lost when this mount was evicted; see the log");
    }
    if (!spool().isEmpty()) {
      waiting.change(spool().drained(inode));
    }
  }

  /** As {@link #drain(long)}, and the lease is given back: what follows goes through. */
  void end(long inode) {
    if (leases.get(inode) != null) {
      waiting.<@Nullable Void>change(leases.end(inode));
    }
  }

  void checkLost(long inode) {
    if (!lost.isEmpty() && lost.contains(inode)) {
      drain(inode);
    }
  }
}
