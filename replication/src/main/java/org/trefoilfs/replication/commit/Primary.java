package org.trefoilfs.replication.commit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * The primary of a group in one view: orders writes, and commits those that every in-sync member
 * holds.
 */
final class Primary {
  /**
   * Writes of one group under way at once; more are refused with BUSY and tried again by the
   * client.
   */
  static final int MAX_IN_FLIGHT = 256;

  /** A member that refused, or did not answer, is sent its suffix again after so long. */
  private static final long RESEND_NANOS = 50_000_000L;

  /**
   * Nobody waits for a joiner: one that has just started is asked by thousands of groups at once.
   */
  private static final long JOINER_RESEND_NANOS = 500_000_000L;

  /** A proposal that has changed nothing by then is made again. */
  private static final long REPROPOSE_NANOS = 1_000_000_000L;

  private final HostId self;
  private final PgView view;
  private final GroupLog log;
  private final GroupPorts ports;
  private final Group.GroupSettings settings;
  private final Map<HostId, Peer> peers = new LinkedHashMap<>();
  private final Map<OperationId, List<WriteReply>> waiting = new HashMap<>();
  private final Set<HostId> promoting = new HashSet<>();

  /**
   * Last number taken over from earlier views: until it is committed, reads could miss what was
   * acknowledged.
   */
  private long takenOver;

  /** What was taken over is appended under this view's number; until then nothing goes on. */
  private boolean tookOver;

  private long holdUntil;
  private long proposedAt = Long.MIN_VALUE;

  private static final long ANSWERS = Long.MIN_VALUE;

  /** What the primary knows of another member or joiner. */
  private static final class Peer {
    final boolean inSync;
    long acknowledged = -1;

    /** Of a joiner: its journal is on stable storage up to this number. */
    long stable = -1;

    /** Of a joiner that is being promoted: up to here flushes may have passed it by. */
    long flushedWithout;

    /** NEW_VIEWs sent to it in this view. */
    long attempts;

    /** A view in which it is in sync has been proposed, and may come about at any time. */
    boolean proposed;

    /** Nothing is sent until the next resend: what came before was refused or had no answer. */
    boolean broken;

    /** When it last began not to answer; {@link #ANSWERS} while it does. */
    long silentSince = ANSWERS;

    long resentAt;

    Peer(boolean inSync) {
      this.inSync = inSync;
    }
  }

  Primary(HostId self, PgView view, GroupLog log, GroupPorts ports, Group.GroupSettings settings) {
    this.self = self;
    this.view = view;
    this.log = log;
    this.ports = ports;
    this.settings = settings;
    view.inSync().stream()
        .filter(member -> !member.host().equals(self))
        .forEach(member -> peers.put(member.host(), new Peer(true)));
    view.joining().forEach(joiner -> peers.putIfAbsent(joiner, new Peer(false)));
  }

  /**
   * Takes over the whole uncommitted suffix, under the new view's number, and those who wait for
   * it.
   */
  void start(@Nullable Primary former, long holdUntil) {
    this.holdUntil = holdUntil;
    if (former != null) {
      waiting.putAll(former.waiting);
    }
    takenOver = log.lastN();
    takeOver();
  }

  /** A full disk puts it off, to the next tick. */
  private void takeOver() {
    try {
      for (Entry entry : log.suffix()) {
        if (entry.version().view() < view.view()) {
          append(entry.n(), entry.operation(), entry.mutation());
        }
      }
    } catch (TrefoilException e) {
      return;
    }
    tookOver = true;
    peers.keySet().forEach(this::sendSuffix);
    advance();
  }

  /** No longer primary: what was in flight may yet be committed by whoever follows. */
  void abandon() {
    TrefoilException why =
        new TrefoilException(
            Reason.OUTCOME_UNKNOWN,
            "group " + log.pg() + " left view " + view.view() + " during the write; ask again");
    waiting.values().forEach(list -> list.forEach(reply -> ports.reply(() -> reply.failed(why))));
    waiting.clear();
  }

  /** Every write that an earlier view may have acknowledged is committed in this one. */
  boolean recommitted() {
    return tookOver && log.commitIndex() >= takenOver;
  }

  void write(int minInSync, OperationId operation, Mutation mutation, WriteReply reply) {
    if (log.uncommitted(operation).isPresent()) {
      waiting.computeIfAbsent(operation, _ -> new ArrayList<>()).add(reply);
      return;
    }
    TrefoilException refusal = refusal(minInSync, mutation);
    if (refusal != null) {
      ports.reply(() -> reply.failed(refusal));
      return;
    }
    long n = log.lastN() + 1;
    try {
      append(n, operation, mutation);
    } catch (TrefoilException e) {
      ports.reply(() -> reply.failed(e));
      return;
    }
    waiting.computeIfAbsent(operation, _ -> new ArrayList<>()).add(reply);
    Message prepare = prepare(n, operation, mutation);
    peers.forEach(
        (host, peer) -> {
          if (!peer.broken) {
            ports.send(host, prepare);
          }
        });
    advance();
  }

  void prepared(HostId from, long n) {
    Peer peer = peers.get(from);
    if (peer == null) {
      return;
    }
    peer.acknowledged = Math.max(peer.acknowledged, n);
    peer.silentSince = ANSWERS;
    advance();
    proposePromotions();
  }

  void unreachable(HostId from) {
    Peer peer = peers.get(from);
    if (peer != null && !peer.broken) {
      peer.broken = true;
      peer.resentAt = ports.now();
      if (peer.silentSince == ANSWERS) {
        peer.silentSince = ports.now();
      }
    }
  }

  /**
   * From now on nothing is committed that the joiner does not hold: the condition of its promotion.
   * What it says counts only if no NEW_VIEW has been sent since: that may have made it start anew.
   */
  void caughtUp(HostId joiner, long attempt, long stable) {
    Peer peer = peers.get(joiner);
    if (peer == null || peer.inSync) {
      throw new TrefoilException(
          Reason.INVALID, joiner + " is not joining group " + log.pg() + " in view " + view.view());
    }
    if (peer.attempts != attempt) {
      throw new TrefoilException(
          Reason.STALE_VIEW, joiner + " has to catch up with group " + log.pg() + " again");
    }
    peer.stable = Math.max(peer.stable, stable);
    if (promoting.add(joiner)) {
      peer.flushedWithout = log.lastN();
    }
    proposePromotions();
  }

  Set<HostId> promoting() {
    return Set.copyOf(promoting);
  }

  void tick() {
    if (!tookOver) {
      takeOver();
    }
    long now = ports.now();
    peers.forEach(
        (host, peer) -> {
          long pause = peer.inSync ? RESEND_NANOS : JOINER_RESEND_NANOS;
          if (peer.broken && now - peer.resentAt >= pause) {
            peer.broken = false;
            sendSuffix(host);
          }
        });
    advance();
    proposePromotions();
    proposeRemovals(now);
  }

  boolean isWaiting() {
    return !tookOver
        || log.lastN() > log.commitIndex()
        || !promoting.isEmpty()
        || peers.values().stream().anyMatch(peer -> peer.broken || peer.silentSince != ANSWERS);
  }

  private @Nullable TrefoilException refusal(int minInSync, Mutation mutation) {
    if (!ports.leased()) {
      return refuse(Reason.UNAVAILABLE, "this host has lost contact with the cluster's majority");
    }
    if (view.inSync().size() < minInSync) {
      return refuse(
          Reason.UNAVAILABLE,
          view.inSync().size()
              + " replica(s) in sync where "
              + minInSync
              + " are needed; start the others");
    }
    if (!tookOver) {
      return refuse(Reason.BUSY, "what was written before is being taken over");
    }
    if (log.lastN() - log.commitIndex() >= MAX_IN_FLIGHT) {
      return refuse(Reason.BUSY, MAX_IN_FLIGHT + " writes are under way");
    }
    // What removes data is never held up.
    return mutation instanceof Mutation.Write ? refusalForRoom(mutation) : null;
  }

  private @Nullable TrefoilException refusalForRoom(Mutation mutation) {
    return switch (ports.roomFor(view.inSync(), mutation)) {
      case ENOUGH -> null;
      case UNCERTAIN ->
          refuse(Reason.BUSY, "a replica's disk is nearly full; try again when it has reported");
      case FULL -> refuse(Reason.NO_SPACE, "a replica's disk is full; delete files or add space");
    };
  }

  private TrefoilException refuse(Reason reason, String why) {
    return new TrefoilException(reason, "group " + log.pg() + " cannot take the write: " + why);
  }

  private void append(long n, OperationId operation, Mutation mutation) {
    long position =
        ports.append(
            new JournalRecord.Prepared(
                log.pg(), view.view(), n, log.commitIndex(), operation, mutation));
    log.put(new Entry(log.pg(), new Version(view.view(), n), operation, mutation, position));
  }

  private void sendSuffix(HostId host) {
    Peer peer = peer(host);
    peer.attempts++;
    if (!peer.proposed) {
      promoting.remove(host);
      peer.stable = -1;
    }
    ports.send(
        host,
        new Message.NewView(log.pg(), view.view(), log.commitIndex(), log.lastN(), peer.attempts));
    for (Entry entry : log.suffix()) {
      ports.send(host, prepare(entry.n(), entry.operation(), entry.mutation()));
    }
  }

  private Message prepare(long n, OperationId operation, Mutation mutation) {
    return new Message.Prepare(log.pg(), view.view(), n, log.commitIndex(), operation, mutation);
  }

  /** Commits what every in-sync member, and every joiner about to become one, holds. */
  private void advance() {
    if (!tookOver || ports.now() - holdUntil < 0) {
      return;
    }
    long held = log.lastN();
    for (Map.Entry<HostId, Peer> each : peers.entrySet()) {
      if (each.getValue().inSync || promoting.contains(each.getKey())) {
        held = Math.min(held, each.getValue().acknowledged);
      }
    }
    List<Entry> committed = log.commitTo(held);
    for (Entry entry : committed) {
      ports.committed(entry);
      List<WriteReply> replies = waiting.remove(entry.operation());
      if (replies != null) {
        replies.forEach(reply -> ports.reply(() -> reply.committed(entry.version())));
      }
    }
    if (!committed.isEmpty() && !peers.isEmpty()) {
      ports.announce(log.pg(), new Version(view.view(), log.commitIndex()));
    }
  }

  /**
   * A joiner must hold what is committed here, and also what was taken over: an earlier primary may
   * have committed that, and acknowledged it. And on stable storage what was flushed before flushes
   * reached the joiner.
   */
  private void proposePromotions() {
    long needed = Math.max(log.commitIndex(), takenOver);
    List<HostId> ready =
        promoting.stream()
            .filter(
                joiner ->
                    peer(joiner).acknowledged >= needed
                        && peer(joiner).stable >= peer(joiner).flushedWithout)
            .toList();
    if (!ready.isEmpty() && mayPropose()) {
      proposedAt = ports.now();
      ready.forEach(joiner -> peer(joiner).proposed = true);
      ports.propose(ViewChange.promote(view, ready));
    }
  }

  private void proposeRemovals(long now) {
    long patience = settings.patience().toNanos();
    List<HostId> silent = new ArrayList<>();
    peers.forEach(
        (host, peer) -> {
          boolean needed = peer.inSync || promoting.contains(host);
          if (needed && peer.silentSince != ANSWERS && now - peer.silentSince > patience) {
            silent.add(host);
          }
        });
    if (!silent.isEmpty() && mayPropose()) {
      proposedAt = now;
      ports.propose(ViewChange.demote(view, silent));
    }
  }

  private boolean mayPropose() {
    return proposedAt == Long.MIN_VALUE || ports.now() - proposedAt > REPROPOSE_NANOS;
  }

  private Peer peer(HostId host) {
    return java.util.Objects.requireNonNull(peers.get(host));
  }
}
