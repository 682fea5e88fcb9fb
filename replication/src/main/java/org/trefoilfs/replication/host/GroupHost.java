package org.trefoilfs.replication.host;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.commit.GroupPorts;
import org.trefoilfs.replication.commit.WriteReply;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.membership.SessionFence;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * The placement groups of this host: brings requests to each pure {@link Group}, or to the duty
 * that answers them, and is the world that the groups ask for. No hop between threads on the way of
 * a write: see {@link Slots}.
 */
final class GroupHost implements GroupPorts {
  private final GroupNode node;
  private final Slots slots;
  private final Healing healing;
  private final Reads reads;
  private final Flushes flushes;
  private final CopySource copySource;
  private final Announcements announcements;
  private final RecentOperations recent = new RecentOperations();
  private final SessionFence fence;
  private final Histories histories = new Histories(Histories.MAX_CHUNKS);
  private final Map<Integer, PgView> knownViews = new HashMap<>();

  GroupHost(GroupNode node) {
    this.node = node;
    fence = new SessionFence(node::view);
    slots = new Slots(node, this);
    healing = new Healing(slots, node);
    reads = new Reads(slots, node, healing);
    flushes = new Flushes(slots, node);
    copySource = new CopySource(slots, node, recent, healing);
    announcements = new Announcements(slots, node);
  }

  /** Takes over a group's log as the journal's replay left it. */
  void recovered(GroupLog groupLog, History history) {
    histories.recovered(history, groupLog.committed());
    slots.recovered(groupLog, history);
  }

  Slots slots() {
    return slots;
  }

  Healing healing() {
    return healing;
  }

  SessionFence fence() {
    return fence;
  }

  RecentOperations recent() {
    return recent;
  }

  /** The state log has moved. Called by one thread. */
  void clusterChanged(ClusterView cluster) {
    node.memory().clusterChanged(cluster);
    for (PgView next : cluster.placement().groups()) {
      PgView known = knownViews.put(next.pg(), next);
      if (known != next && (concernsUs(next) || slots.has(next.pg()))) {
        viewChanged(slots.of(next.pg()), next, known != null && cluster.mayStillServe(known, next));
      }
    }
    flushes.endStale();
  }

  private void viewChanged(Slot slot, PgView next, boolean mayStillServe) {
    slots.event(
        slot,
        () -> {
          PgView current = slot.group.currentView();
          if (current == null || current.view() < next.view()) {
            slot.catchUp = null;
          }
          slot.history.mark();
          slot.group.view(next, mayStillServe);
        });
  }

  /** A request of another host, or of this one. Throws what a request is refused with at once. */
  void handle(Message request, Transport.Reply reply) {
    switch (request) {
      case Message.Write write -> Replies.when(writeInSession(write), reply);
      case Message.Read read -> Replies.virtual(reply, () -> new Message.Data(reads.read(read)));
      case Message.AskBlocks ask ->
          Replies.virtual(reply, () -> new Message.BlockSets(reads.allocated(ask)));
      case Message.Prepare prepare -> {
        Slot slot = slots.of(prepare.pg());
        reply.send(slots.eventWithResult(slot, () -> slot.group.prepare(prepare)));
      }
      case Message.NewView newView -> {
        Slot slot = slots.of(newView.pg());
        reply.send(slots.eventWithResult(slot, () -> slot.group.newView(newView)));
      }
      case Message.Committed committed -> {
        committed.commits().forEach(this::committedElsewhere);
        reply.send(new Message.Done());
      }
      case Message.Flush flush -> Replies.when(flushes.flush(flush), reply);
      case Message.FlushBackup flush -> Replies.when(flushes.flushBackup(flush), reply);
      case Message.ListChunks list -> Replies.virtual(reply, () -> copySource.list(list));
      case Message.ListChanges list -> Replies.virtual(reply, () -> copySource.listChanges(list));
      case Message.FetchChunk(int pg, ChunkId chunk) ->
          Replies.virtual(
              reply, () -> new Message.Chunk(copySource.fetch(pg, chunk, BlockSet.all())));
      case Message.FetchBlocks fetch -> Replies.virtual(reply, () -> copySource.fetchBlocks(fetch));
      case Message.CaughtUp caughtUp -> {
        caughtUp(caughtUp);
        reply.send(new Message.Done());
      }
      case Message.AskGroups ask -> reply.send(new Message.GroupReports(reports(ask.groups())));
      default ->
          throw new TrefoilException(
              Reason.INVALID, "unexpected request " + request.getClass().getSimpleName());
    }
  }

  private CompletableFuture<Message> writeInSession(Message.Write write) {
    fence.begin(write.session());
    try {
      return write(write).whenComplete((_, _) -> fence.ended(write.session()));
    } catch (RuntimeException e) {
      fence.ended(write.session());
      throw e;
    }
  }

  /** A client's write, here or from afar. */
  CompletableFuture<Message> write(Message.Write write) {
    CompletableFuture<Message> done = new CompletableFuture<>();
    WriteReply reply =
        new WriteReply() {
          @Override
          public void committed(Version version) {
            done.complete(new Message.Written(version.view(), version.n()));
          }

          @Override
          public void failed(TrefoilException why) {
            done.completeExceptionally(why);
          }
        };
    Slot slot = slots.of(write.pg());
    if (removesNothing(slot, write)) {
      done.complete(new Message.Written(write.view(), 0));
      return done;
    }
    int minInSync =
        write.minInSync() > 0
            ? write.minInSync()
            : VolumeInfo.usualMinInSync(Pools.pool(write.pg()));
    slots.event(
        slot,
        () ->
            slot.group.write(write.view(), minInSync, write.operation(), write.mutation(), reply));
    return done;
  }

  /**
   * Whether the write would remove what no replica has: a sparse file is mostly chunks that do not
   * exist. Every in-sync member holds the same committed chunks as the primary.
   */
  private boolean removesNothing(Slot slot, Message.Write write) {
    Mutation mutation = write.mutation();
    if (mutation instanceof Mutation.Write) {
      return false;
    }
    synchronized (slot) {
      PgView view = slot.group.currentView();
      return view != null
          && view.view() == write.view()
          && slot.group.isPrimary()
          && slot.group.readable(mutation.chunk()) == Group.Readable.YES
          && !slot.group.log().hasUncommitted(mutation.chunk())
          && node.applier().isAbsent(slot.pg, mutation.chunk());
    }
  }

  private void caughtUp(Message.CaughtUp message) {
    HostInfo joiner = node.view().hosts().get(message.host());
    if (joiner == null || joiner.incarnation() != message.incarnation()) {
      throw new TrefoilException(
          Reason.STALE_VIEW, message.host() + " runs under another incarnation than caught up");
    }
    Slot slot = slots.of(message.pg());
    slots.event(slot, () -> slot.group.caughtUp(message));
  }

  private void committedElsewhere(int pg, Message.Commit commit) {
    Slot slot = slots.of(pg);
    slots.event(slot, () -> slot.group.committed(commit.view(), commit.n()));
  }

  /**
   * A group that this host joins has committed these. Called under its lock, before the host counts
   * as having caught up: as primary it must know a retry of any of them. A catch-up that is tried
   * again and again is told the same each time, and journals it once.
   */
  void committedEarlier(int pg, List<OperationId> operations) {
    List<OperationId> news = recent.unknown(operations);
    if (!news.isEmpty()) {
      node.append(new JournalRecord.Answered(pg, news));
      recent.committedEarlier(pg, news);
    }
  }

  private Map<Integer, Message.Commit> reports(List<Integer> groups) {
    Map<Integer, Message.Commit> reports = new HashMap<>();
    for (int pg : groups) {
      Slot slot = slots.of(pg);
      synchronized (slot) {
        Version last = slot.group.log().last();
        reports.put(pg, new Message.Commit(last.view(), last.n()));
      }
    }
    return reports;
  }

  /** Time has passed: resend, propose, and announce commit indexes that no PREPARE carried. */
  void tick() {
    slots.tick();
    announcements.send();
    node.memory().tick();
  }

  // ---- GroupPorts

  @Override
  public long now() {
    return node.time().nanoTime();
  }

  @Override
  public boolean leased() {
    return node.leased();
  }

  @Override
  public Room roomFor(Collection<PgView.Member> members, Mutation mutation) {
    return node.admission().judge(members, mutation.bytes());
  }

  @Override
  public long append(JournalRecord record) {
    return node.append(record);
  }

  @Override
  public void send(HostId to, Message message) {
    int pg;
    long inView;
    switch (message) {
      case Message.Prepare prepare -> {
        pg = prepare.pg();
        inView = prepare.view();
        announcements.carried(pg, new Version(inView, prepare.commitIndex()));
      }
      case Message.NewView newView -> {
        pg = newView.pg();
        inView = newView.view();
      }
      default -> throw new IllegalArgumentException("not of the commit protocol: " + message);
    }
    Slot slot = slots.of(pg);
    node.peers()
        .call(to, message, node.detection())
        .whenComplete((answer, failure) -> answered(slot, to, inView, answer, failure));
  }

  /**
   * A call that fails at once answers on the caller's thread, within the event that made it: then
   * it is put off.
   */
  private void answered(
      Slot slot, HostId from, long inView, @Nullable Message answer, @Nullable Throwable failure) {
    if (Thread.holdsLock(slot)) {
      slots.afterEvent(() -> answered(slot, from, inView, answer, failure));
    } else if (answer instanceof Message.Prepared prepared) {
      slots.event(slot, () -> slot.group.prepared(from, prepared));
    } else {
      TrefoilException why =
          TrefoilException.of(failure == null ? new IllegalStateException("no answer") : failure);
      slots.event(slot, () -> slot.group.unreachable(from, inView, why));
    }
  }

  @Override
  public void committed(Entry entry) {
    recent.committed(entry.pg(), entry.operation(), entry.version());
    Slot slot = slots.of(entry.pg());
    histories.committed(slot.history, entry, isWhole(slot));
    if (slot.catchUp == null || slot.catchUp.admits(entry)) {
      node.applier().committed(entry);
    } else {
      slot.group.log().copyState().leftOut(entry.mutation().chunk(), BlockSet.of(entry.mutation()));
    }
  }

  private static boolean isWhole(Slot slot) {
    PgView view = slot.group.currentView();
    return view != null && view.joining().isEmpty() && view.inSync().size() == Pools.pool(slot.pg);
  }

  @Override
  public void announce(int pg, Version commitIndex) {
    announcements.add(pg, commitIndex);
  }

  @Override
  public void propose(PgView next) {
    node.propose(registered(next));
  }

  @Override
  public void catchUp(int pg, long view, HostId primary) {
    Slot slot = slots.of(pg);
    recent.forget(pg); // the primary's answers say what the group has committed
    histories.joins(slot.history, slot.group.log().committed());
    node.startCatchUp(slot, view, primary);
  }

  @Override
  public void reply(Runnable answer) {
    slots.afterEvent(answer);
  }

  @Override
  public Version committedBefore(OperationId operation) {
    return recent.version(operation);
  }

  private boolean concernsUs(PgView view) {
    return view.member(node.self()).isPresent() || view.joining().contains(node.self());
  }

  private PgView registered(PgView next) {
    ClusterView cluster = node.view();
    List<PgView.Member> members =
        next.inSync().stream()
            .map(
                member -> {
                  HostInfo host = cluster.hosts().get(member.host());
                  return member.incarnation() == 0 && host != null
                      ? new PgView.Member(member.host(), host.incarnation())
                      : member;
                })
            .toList();
    return new PgView(
        next.pg(), next.view(), next.primary(), members, next.joining(), next.reopened());
  }
}
