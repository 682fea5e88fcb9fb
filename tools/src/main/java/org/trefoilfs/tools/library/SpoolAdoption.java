package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.namespace.Location;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.StateLogNames;
import org.trefoilfs.mount.vfs.WriteBack;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.host.Host;
import org.trefoilfs.replication.host.MountPulse;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.spool.Shipper;
import org.trefoilfs.replication.spool.Spool;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolStore;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.spool.SpooledWrite;
import org.trefoilfs.replication.volume.Volume;
import org.trefoilfs.tools.mount.MountNote;

/**
 * Ships what the mounts of a killed daemon have left in their spools, when the host runs again
 * while their sessions live: a new session takes over the write leases, the old one is closed, and
 * once every host keeps its late writes out, the spool is shipped in order. What comes too late for
 * that, or may be incomplete because the machine went down, is kept for export.
 */
final class SpoolAdoption {
  private static final Duration FENCING = Duration.ofSeconds(30);
  private static final Duration SHIPPING = Duration.ofMinutes(10);

  /** How long a mount to be served on may take to come up before its spool is shipped anyway. */
  private static final Duration RESUMPTION = Duration.ofMinutes(1);

  private static final Duration POLL = Duration.ofMillis(20);
  private static final Logger LOG = LoggerFactory.getLogger(SpoolAdoption.class);

  private final Host host;
  private final Member member;
  private final Path data;

  /** Of sessions whose mounts this process will serve on: their turns. */
  private final Map<Long, Turn> turns = new ConcurrentHashMap<>();

  /**
   * When a spool may be adopted, and when it has been; then with the files that lost some of it.
   */
  static final class Turn {
    final CompletableFuture<Void> begins = new CompletableFuture<>();
    final CompletableFuture<Set<Long>> ends = new CompletableFuture<>();
  }

  SpoolAdoption(Host host, Member member, Path data) {
    this.host = host;
    this.member = member;
    this.data = data;
  }

  /**
   * Sessions of mounts that left something to ship, or that this host will serve on, to be kept
   * alive while the host starts.
   */
  static Map<Long, MountPulse> left(Path data) {
    Map<Long, MountPulse> left = new HashMap<>();
    List<Long> kept = MountNote.sessionsLeft(data);
    kept.forEach(id -> left.put(id, new Pulse(emptySpool(), 0)));
    for (SpoolDirectory directory : SpoolDirectory.leftIn(data)) {
      if (directory.isOfThisBoot() && !directory.read().isEmpty()) {
        Spool spool = emptySpool();
        directory.read().forEach(spool::recovered);
        sessions(directory)
            .forEach(id -> left.put(id, new Pulse(spool, kept.contains(id) ? 0 : Long.MAX_VALUE)));
      }
    }
    return left;
  }

  private static Spool emptySpool() {
    return new Spool(SpoolStore.MEMORY, SystemTime.INSTANCE, () -> SpoolLimits.DEFAULT);
  }

  private static List<Long> sessions(SpoolDirectory directory) {
    return directory.about().map(SpoolDirectory.About::sessions).orElse(List.of());
  }

  /**
   * In the background; those that are found now, not those of mounts that come later. Of a mount
   * that will be served on, only when that has looked after its orphans ({@link #end}).
   */
  void start() {
    List<Long> kept = MountNote.sessionsLeft(data);
    for (SpoolDirectory left : SpoolDirectory.leftIn(data)) {
      Turn turn = new Turn();
      List<Long> sessions = sessions(left);
      if (sessions.stream().anyMatch(kept::contains)) {
        sessions.forEach(id -> turns.put(id, turn));
      } else {
        turn.begins.complete(null);
      }
      Thread.ofVirtual().name("adopt " + left.id()).start(() -> adopt(left, turn));
    }
  }

  private void adopt(SpoolDirectory left, Turn turn) {
    Set<Long> lost = Set.of();
    try {
      turn.begins.completeOnTimeout(null, RESUMPTION.toMillis(), TimeUnit.MILLISECONDS).join();
      lost = adopt(left);
    } finally {
      turn.ends.complete(lost);
    }
  }

  /**
   * Ends sessions of a mount that is served on: ships what they have left, and returns when no host
   * takes their late writes any more.
   *
   * @return files of which something is lost
   */
  Set<Long> end(List<Long> sessions) {
    Set<Long> lost = new HashSet<>();
    begin(sessions).forEach(turn -> lost.addAll(turn.ends.join()));
    fence(sessions);
    return lost;
  }

  /** What these sessions have left may be shipped now. */
  List<Turn> begin(List<Long> sessions) {
    List<Turn> begun =
        sessions.stream()
            .flatMap(session -> Optional.ofNullable(turns.get(session)).stream())
            .toList();
    begun.forEach(turn -> turn.begins.complete(null));
    return begun;
  }

  /** Files of which something is not in the volume. */
  private Set<Long> adopt(SpoolDirectory left) {
    Set<Long> files = Set.of();
    try {
      List<SpooledWrite> writes = left.read();
      files = inodes(writes).boxed().collect(Collectors.toSet());
      if (writes.isEmpty()) {
        left.delete();
        return files;
      }
      if (left.isOfThisBoot()) {
        if (ship(left, writes)) {
          return Set.of();
        }
        // Nobody asks for them again: what they hold is to be free.
        sessions(left).forEach(this::close);
        return files;
      }
      give(left, writes, "the machine went down since, and the last of it may be missing");
    } catch (TrefoilException e) {
      LOG.error("spool {} is left for the next start: {}", left.path(), e.getMessage());
    }
    return files;
  }

  /** Whether all of it is in the volume. */
  private boolean ship(SpoolDirectory left, List<SpooledWrite> writes) {
    SpoolDirectory.About about = left.about().orElseThrow();
    VolumeInfo volume = member.view().volumesById().get(about.volumeId());
    if (volume == null || volume.deleted()) {
      give(left, writes, "volume " + about.volume() + " was deleted");
      return false;
    }
    long session = MountSession.freshId();
    long before = System.nanoTime();
    left.describe(about.with(session));
    Waits.get(
        member
            .cluster()
            .openSession(new OpenSession(session, volume.id(), member.name(), about.mountPoint())));
    Spool spool = new Spool(left.open(), SystemTime.INSTANCE, () -> volume.rpo());
    writes.forEach(spool::recovered);
    member.keepSession(session, before, new Pulse(spool, Long.MAX_VALUE));
    try {
      Names names =
          Waits.get(
              StateLogNames.open(member.stateLog(), volume.id(), session, SystemTime.INSTANCE));
      if (!inherits(names, about, writes)) {
        give(left, writes, "its session is over, and others may have written since");
        return false;
      }
      fence(about.sessions());
      inodes(writes)
          .forEach(inode -> spool.sized(inode, Waits.get(names.lookup(Location.of(inode))).size()));
      ship(spool, names, member.openVolume(volume, () -> session));
      left.delete();
      // A mount that is served on reads them next, and need not wait until the session is over.
      var unused = names.unlease(inodes(writes).boxed().collect(Collectors.toSet()));
      LOG.info(
          "shipped {} writes that the mount at {} had left", writes.size(), about.mountPoint());
      return true;
    } finally {
      member.dropSession(session);
      var unused = member.cluster().closeSession(session);
    }
  }

  /** Whether every file concerned was in nobody's hands since the mount's. */
  private static boolean inherits(
      Names names, SpoolDirectory.About about, List<SpooledWrite> writes) {
    for (long old : about.sessions()) {
      try {
        Waits.get(names.inherit(old));
      } catch (TrefoilException e) {
        if (e.reason() != Reason.STALE) {
          throw e;
        }
      }
    }
    return inodes(writes).allMatch(inode -> isHeld(names, inode));
  }

  private static LongStream inodes(List<SpooledWrite> writes) {
    return writes.stream().mapToLong(SpooledWrite::inode).distinct();
  }

  private static boolean isHeld(Names names, long inode) {
    try {
      return Waits.get(names.lookup(Location.of(inode))).holder() == names.session();
    } catch (TrefoilException e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  /** Writes of the killed process may still be on their way to a host that stands still. */
  private void fence(List<Long> sessions) {
    sessions.forEach(this::close);
    long epoch = Waits.get(member.cluster().latest(member.view())).epoch();
    long deadline = System.nanoTime() + FENCING.toNanos();
    while (!host.isFenced(epoch)) {
      if (System.nanoTime() - deadline > 0) {
        throw new TrefoilException(
            Reason.UNAVAILABLE, "not every host has heard that the earlier session is over");
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  private void close(long session) {
    member.dropSession(session);
    Waits.get(member.cluster().closeSession(session));
  }

  private static void ship(Spool spool, Names names, Volume volume) {
    Shipper shipper = new Shipper(spool, new WriteBack.ShippingSink(names, volume));
    shipper.wake();
    try {
      spool.drained().orTimeout(SHIPPING.toMillis(), TimeUnit.MILLISECONDS).join();
    } catch (RuntimeException e) {
      shipper.stop();
      throw TrefoilException.of(e);
    }
  }

  private static void give(SpoolDirectory left, List<SpooledWrite> writes, String why) {
    String mountPoint = left.about().map(SpoolDirectory.About::mountPoint).orElse("?");
    LOG.error("the spool of the mount at {} cannot be shipped: {}", mountPoint, why);
    Losses.log(mountPoint, SpooledRange.of(writes));
    Losses.logKept(left.lost());
  }

  /** While it ships, the spool counts in the status as a mount's does. */
  private record Pulse(Spool spool, long orphanCursor) implements MountPulse {

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
      spool.fail(new TrefoilException(Reason.IO, "the session that shipped a spool was evicted"));
    }
  }
}
