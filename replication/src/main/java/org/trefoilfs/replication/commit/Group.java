package org.trefoilfs.replication.commit;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * A placement group at one host: its log, the newest view that this host knows, and the role that
 * the view gives it. Single-threaded: the caller serializes events. PacificA (Lin, Yang, Zhang,
 * Zhou, 2008): primary-backup under views that a consensus group keeps.
 *
 * <pre>
 *   in the view as         role      takes
 *   primary                Primary   write, prepared, unreachable, caughtUp
 *   other in-sync member   Backup    newView, prepare, committed
 *   joiner                 Backup    the same; its log starts anew at newView, and it copies what is older
 *   none, or group closed  -         nothing
 * </pre>
 */
public final class Group {
  private final int pg;
  private final HostId self;
  private final long incarnation;
  private final GroupPorts ports;
  private final GroupSettings settings;
  private final GroupLog log;
  private @Nullable PgView view;
  private @Nullable Primary primary;
  private @Nullable Backup backup;

  /** Until then a member that was put out, in this view or in one before it, may serve reads. */
  private long holdUntil;

  /**
   * @param lease how long another host may serve on after it stopped hearing from the state log's
   *     leader
   * @param patience how long a member may fail to answer before the primary proposes a view without
   *     it
   */
  public record GroupSettings(Duration lease, Duration patience) {}

  public Group(
      HostId self, long incarnation, GroupLog log, GroupSettings settings, GroupPorts ports) {
    this.pg = log.pg();
    this.self = self;
    this.incarnation = incarnation;
    this.log = log;
    this.settings = settings;
    this.ports = ports;
    holdUntil = ports.now();
  }

  public GroupLog log() {
    return log;
  }

  public @Nullable PgView currentView() {
    return view;
  }

  /** Whether this host holds data of the group that counts, or is about to. */
  public boolean hasRole() {
    return primary != null || backup != null;
  }

  public boolean isPrimary() {
    return primary != null;
  }

  public boolean isJoiner() {
    return backup != null && backup.isJoiner();
  }

  /**
   * The state log has moved the group to {@code next}.
   *
   * @param mayStillServe whether a member that left the in-sync set may not know it yet and serve
   *     reads under its lease
   */
  public void view(PgView next, boolean mayStillServe) {
    if (view != null && next.view() <= view.view()) {
      return;
    }
    view = next;
    if (mayStillServe) {
      holdUntil = ports.now() + settings.lease().toNanos();
    }
    backup = null;
    Primary former = primary;
    primary = null;
    if (!next.isOpen()) {
      abandon(former);
    } else if (self.equals(next.primary()) && next.isInSync(self, incarnation)) {
      primary = new Primary(self, next, log, ports, settings);
      primary.start(former, holdUntil);
    } else {
      abandon(former);
      if (next.isInSync(self, incarnation)) {
        backup = new Backup(next, log, ports, Backup.Standing.IN_SYNC);
      } else if (next.joining().contains(self)) {
        backup = new Backup(next, log, ports, Backup.Standing.JOINING);
      }
    }
  }

  /** A client's write, taken if at least {@code minInSync} members are in sync. */
  public void write(
      long inView, int minInSync, OperationId operation, Mutation mutation, WriteReply reply) {
    Version before = ports.committedBefore(operation);
    if (primary == null || view == null || inView != view.view()) {
      TrefoilException why = notHere(inView);
      ports.reply(() -> reply.failed(why));
    } else if (!before.equals(Version.NONE)) {
      ports.reply(() -> reply.committed(before));
    } else {
      primary.write(minInSync, operation, mutation, reply);
    }
  }

  public Message newView(Message.NewView message) {
    return backupFor(message.view()).newView(message);
  }

  public Message prepare(Message.Prepare message) {
    return backupFor(message.view()).prepare(message);
  }

  public void committed(long inView, long n) {
    if (backup != null && view != null && view.view() == inView) {
      backup.committed(n);
    }
  }

  public void prepared(HostId from, Message.Prepared message) {
    if (primary != null && view != null && view.view() == message.view()) {
      primary.prepared(from, message.n());
    }
  }

  /** A message to {@code from}, sent in {@code inView}, was refused or has no answer. */
  public void unreachable(HostId from, long inView, TrefoilException why) {
    if (primary != null
        && view != null
        && view.view() == inView
        && why.reason() != Reason.STALE_VIEW) {
      primary.unreachable(from);
    }
  }

  /** A joiner says that it holds everything up to the live stream. */
  public void caughtUp(Message.CaughtUp message) {
    if (primary == null || view == null || view.view() != message.view()) {
      throw notHere(message.view());
    }
    primary.caughtUp(message.host(), message.attempt(), message.stable());
  }

  /** Joiners that are about to be in sync: a flush must reach them as well. */
  public Set<HostId> promoting() {
    return primary == null ? Set.of() : primary.promoting();
  }

  /** Which NEW_VIEW of the view a joiner's log goes back to; it says so when it has caught up. */
  public long joinedAt() {
    return backup == null ? 0 : backup.attempt();
  }

  /**
   * Whether this host may answer a read of the chunk from its own store now; otherwise another
   * member must.
   */
  public Readable readable(ChunkId chunk) {
    if (!ports.leased()) {
      return Readable.NO_LEASE;
    }
    if (primary != null) {
      return primary.recommitted() ? Readable.YES : Readable.NOT_YET;
    }
    if (backup == null || !backup.isSynced()) {
      return Readable.ASK_PRIMARY;
    }
    return log.hasUncommitted(chunk) ? Readable.ASK_PRIMARY : Readable.YES;
  }

  /** Answer of {@link #readable}. */
  public enum Readable {
    YES,
    /** This host may have been replaced without knowing. */
    NO_LEASE,
    /** A new primary is re-committing what it took over. */
    NOT_YET,
    /**
     * Not in sync, or a write of the chunk is prepared here of which only the primary knows whether
     * it is committed.
     */
    ASK_PRIMARY
  }

  /** Time has passed. */
  public void tick() {
    if (primary != null) {
      primary.tick();
    }
  }

  /** Whether {@link #tick} has something to wait for. */
  public boolean isWaiting() {
    return primary != null && primary.isWaiting();
  }

  private Backup backupFor(long inView) {
    if (view != null && inView < view.view()) {
      throw new TrefoilException(
          Reason.STALE_VIEW,
          "group " + pg + " is in view " + view.view() + ", not " + inView + "; fetch the map");
    }
    if (backup == null || view == null || inView > view.view()) {
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "group " + pg + ": " + self + " has not reached view " + inView + " yet; send again");
    }
    return backup;
  }

  private TrefoilException notHere(long inView) {
    String known = view == null ? "no view" : "view " + view.view();
    return new TrefoilException(
        Reason.STALE_VIEW,
        self
            + " is not primary of group "
            + pg
            + " in view "
            + inView
            + " (it knows "
            + known
            + "); fetch the map");
  }

  private static void abandon(@Nullable Primary former) {
    if (former != null) {
      former.abandon();
    }
  }
}
