package org.trefoilfs.tools.library;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.InheritedLock;
import org.trefoilfs.mount.namespace.LookupCache;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.ResentRequests;
import org.trefoilfs.mount.namespace.StateLogNames;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.host.MountPulse;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.spool.Spool;
import org.trefoilfs.replication.spool.SpoolStore;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.volume.Volume;

/**
 * A mount's session with the cluster and its spool: opened, kept alive, opened anew when the
 * cluster gave it up, and closed. What an evicted session had open without a name, or locked, is
 * lost, and what it had not shipped is kept for export; all else goes on.
 */
final class MountSession implements AutoCloseable {
  private static final Duration RETRY = Duration.ofMillis(500);

  /** How long a mount that ends tries to ship what it has; then its spool is left for a restart. */
  private static final Duration DRAINING = Duration.ofSeconds(20);

  /**
   * What waits to be shipped is in the heap as well: a part of it, however high the bound is set.
   */
  private static final long IN_MEMORY = Runtime.getRuntime().maxMemory() / 4;

  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Logger LOG = LoggerFactory.getLogger(MountSession.class);

  private final Member member;
  private final VolumeInfo volume;
  private final String directory;
  private final LongConsumer opening;
  private final LookupCache cache =
      new LookupCache(SystemTime.INSTANCE, LookupCache.ROWS, LookupCache.CONTENDED);
  private final AtomicLong orphanCursor = new AtomicLong();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final RenewableNames names;
  private final Volume bytes;
  private volatile @Nullable Vfs vfs;
  private volatile Opened current;

  /** One session of the mount's. */
  private static final class Opened implements MountPulse {
    final long id;
    final StateLogNames names;
    final MountSession mount;
    final Optional<SpoolDirectory> directory;
    final SpoolStore store;
    final Spool spool;
    BooleanSupplier alive = () -> true;

    Opened(long id, StateLogNames names, MountSession mount) {
      this.id = id;
      this.names = names;
      this.mount = mount;
      directory =
          mount
              .member
              .data()
              .map(data -> SpoolDirectory.create(data, id, mount.volume, mount.directory));
      store = directory.<SpoolStore>map(SpoolDirectory::open).orElse(SpoolStore.MEMORY);
      spool = new Spool(store, SystemTime.INSTANCE, () -> mount.latest().rpo().within(IN_MEMORY));
    }

    @Override
    public long orphanCursor() {
      return mount.orphanCursor.get();
    }

    @Override
    public SpoolWindow window() {
      return spool.window();
    }

    @Override
    public List<SpooledRange> ranges() {
      return spool.ranges();
    }

    @Override
    public void evicted() {
      LOG.error(
          "the mount at {} was out of touch with the cluster for too long and was evicted; it goes"
              + " on under a new session, without locks and without files that were open and have"
              + " no name",
          mount.directory);
      Thread.ofVirtual().name("renew " + Long.toHexString(id)).start(() -> mount.replace(this));
    }
  }

  /**
   * @param opening told of each session before anybody else
   */
  MountSession(Member member, VolumeInfo volume, String directory, LongConsumer opening) {
    this.member = member;
    this.volume = volume;
    this.directory = directory;
    this.opening = opening;
    this.bytes = member.openVolume(volume, () -> current.id);
    this.current = open();
    this.names = new RenewableNames(current.names, member::isFull);
  }

  Names names() {
    return names;
  }

  /** The volume's bytes, written in whatever session the mount has now. */
  Volume volume() {
    return bytes;
  }

  /** The volume as it is set now. */
  VolumeInfo latest() {
    return member.view().volumesById().getOrDefault(volume.id(), volume);
  }

  /**
   * The locks of earlier sessions of the mount are this one's; those that went with a session are
   * said to their users.
   */
  void inheritLocks(List<Long> earlier, Vfs to) {
    List<InheritedLock> all = new ArrayList<>();
    boolean over = false;
    for (long session : earlier) {
      try {
        all.addAll(Waits.get(current.names.inheritLocks(session)));
      } catch (TrefoilException e) {
        if (e.reason() != Reason.STALE) {
          throw e;
        }
        over = true;
      }
    }
    to.locks().inherited(all);
    if (over) {
      to.locks().lost(all);
    }
  }

  /** An earlier session of the mount is over, and its requests go on in this one. */
  void takeOver(long earlier, ResentRequests requests) {
    Waits.get(current.names.takeOver(earlier, requests));
  }

  /** What is committed asynchronously at this mount goes through this session's spool. */
  void attach(Vfs served) {
    vfs = served;
    attach(served, current);
  }

  private void attach(Vfs to, Opened opened) {
    to.writeBack().attach(opened.spool, bytes.inSession(opened.id), opened.alive);
  }

  /** Whether there is nothing left to ship. */
  boolean isDrained() {
    return current.spool.isEmpty();
  }

  /** The mount has looked after all orphans up to here. */
  void lookedAfter(long cursor) {
    orphanCursor.accumulateAndGet(cursor, Math::max);
  }

  private Opened open() {
    long session = freshId();
    opening.accept(session);
    long before = System.nanoTime();
    Waits.get(
        member
            .cluster()
            .openSession(new OpenSession(session, volume.id(), member.name(), directory)));
    StateLogNames opened =
        Waits.get(
            StateLogNames.open(
                member.stateLog(), volume.id(), session, SystemTime.INSTANCE, cache));
    Opened next = new Opened(session, opened, this);
    next.alive = member.keepSession(session, before, next);
    return next;
  }

  static long freshId() {
    long drawn;
    do {
      drawn = RANDOM.nextLong();
    } while (drawn == 0);
    return drawn;
  }

  private void replace(Opened evicted) {
    Vfs attached = vfs;
    if (attached != null) {
      attached.locks().evicted();
      List<SpooledRange> lost = attached.writeBack().evicted();
      keepLost(evicted, lost);
    }
    renew();
  }

  private void keepLost(Opened evicted, List<SpooledRange> lost) {
    evicted.store.close();
    try {
      if (lost.isEmpty()) {
        evicted.directory.ifPresent(SpoolDirectory::delete);
        return;
      }
      Losses.log(directory, lost);
      evicted.directory.map(SpoolDirectory::lost).ifPresent(Losses::logKept);
    } catch (TrefoilException e) {
      LOG.error("the spool of an evicted session is left where it is", e);
    }
  }

  private void renew() {
    try {
      do {
        @Nullable TrefoilException failure = tryRenew();
        if (failure == null) {
          LOG.info("the mount at {} has a new session", directory);
          return;
        }
        LOG.warn("no new session for the mount at {} yet: {}", directory, failure.getMessage());
      } while (!closing.await(RETRY.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private @Nullable TrefoilException tryRenew() {
    try {
      current.names.close();
      Opened next = open();
      current = next;
      names.renew(next.names);
      Vfs attached = vfs;
      if (attached != null) {
        attach(attached, next);
      }
      return null;
    } catch (TrefoilException e) {
      return e;
    }
  }

  /**
   * Ships what is left. A session that cannot be closed runs out by itself; a spool that cannot be
   * shipped is left for the next start of this host, and its session is, too.
   */
  @Override
  public void close() {
    closing.countDown();
    Opened last = current;
    last.names.close();
    boolean drained = drain(last);
    if (drained) {
      letGo();
    }
    member.dropSession(last.id);
    last.store.close();
    if (!drained) {
      LOG.error(
          "the mount at {} ends with {} bytes that could not be shipped; start this host again"
              + " within seconds to ship them, or see: trefoil lost list",
          directory,
          last.spool.window().bytes());
      return;
    }
    last.directory.ifPresent(SpoolDirectory::delete);
    var unused =
        member
            .cluster()
            .closeSession(last.id)
            .orTimeout(2, TimeUnit.SECONDS)
            .exceptionally(
                failure -> {
                  LOG.info("session {} is left to run out", Long.toHexString(last.id));
                  return null;
                });
    unused.join();
  }

  /**
   * Ships what is left, and leaves the session as it is: the next daemon ends it, if it comes
   * before the session runs out.
   */
  void leave() {
    closing.countDown();
    Opened last = current;
    last.names.close();
    boolean drained = drain(last);
    member.dropSession(last.id);
    last.store.close();
    if (drained) {
      last.directory.ifPresent(SpoolDirectory::delete);
    }
  }

  /** Others need not wait until the session is known to be over. */
  private void letGo() {
    Vfs attached = vfs;
    if (attached != null) {
      attached
          .writeBack()
          .letGo()
          .orTimeout(2, TimeUnit.SECONDS)
          .handle((done, failure) -> null)
          .join();
    }
  }

  private boolean drain(Opened last) {
    if (!last.spool.isEmpty()) {
      LOG.info(
          "shipping {} bytes before the mount at {} ends", last.spool.window().bytes(), directory);
    }
    return last.spool
        .drained()
        .orTimeout(DRAINING.toMillis(), TimeUnit.MILLISECONDS)
        .handle((done, failure) -> failure == null)
        .join();
  }
}
