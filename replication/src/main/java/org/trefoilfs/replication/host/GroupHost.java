package org.trefoilfs.replication.host;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.commit.GroupPorts;
import org.trefoilfs.replication.commit.WriteReply;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.heal.CatchUp;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * The placement groups of this host: a lock around each pure {@link Group}, and the world that the
 * groups ask for.
 *
 * <p>An event runs on the thread that brings it, under its group's lock: no hop between threads on
 * the way of a write. Answers to clients are sent after the lock is released. Lock order: group,
 * then (inside the applier) chunk stripe.
 */
final class GroupHost implements GroupPorts {
  private static final Logger log = LoggerFactory.getLogger(GroupHost.class);

  /** Chunk infos in one page of a listing: 40 bytes each, well under the frame limit. */
  private static final int LIST_PAGE = 4096;

  /** Chunks in all groups' histories: some 25 MiB. */
  private static final long MAX_REMEMBERED_CHUNKS = 1L << 17;

  /** A backup that is behind holds its connection for so long, far less than what ends one. */
  private static final long ROOM_WAIT_MS = 500;

  /** Rounds through the other replicas for a damaged chunk: one may lag by a moment. */
  private static final int HEAL_ROUNDS = 10;

  private static final long HEAL_PAUSE_NANOS = 20_000_000L;

  private final Node node;
  private final ConcurrentHashMap<Integer, Slot> slots = new ConcurrentHashMap<>();
  private final RecentOperations recent = new RecentOperations();
  private final ThreadLocal<Queue<Runnable>> answers = ThreadLocal.withInitial(ArrayDeque::new);
  private final Set<Slot> waiting = ConcurrentHashMap.newKeySet();
  private final ConcurrentHashMap<Integer, Version> announcements = new ConcurrentHashMap<>();
  private final Map<Integer, PgView> knownViews = new HashMap<>();

  /** Flushes under way here as primary, and the views in which they were asked for. */
  private final Map<CompletableFuture<Message>, Map<Integer, Long>> flushes =
      new ConcurrentHashMap<>();

  /** What the groups of a host need of it. */
  interface Node {
    HostId self();

    long incarnation();

    TimeSource time();

    boolean leased();

    DiskRoom room();

    Admission admission();

    ClusterView view();

    Peers peers();

    Applier applier();

    org.trefoilfs.replication.journal.Journal journal();

    org.trefoilfs.replication.chunk.ChunkStore store();

    Duration detection();

    void propose(PgView next);

    /** The disk has failed: the host must not serve any longer. */
    void failed(TrefoilException why);

    void startCatchUp(Slot slot, long view, HostId primary);
  }

  /** A group, its lock (the slot itself), and its catch-up while it joins. */
  static final class Slot {
    final int pg;
    final Group group;
    final History history;
    @Nullable CatchUp catchUp;

    /** Grows with each start of a catch-up: an older one that still runs must stop. */
    long catchUpRun;

    Slot(int pg, Group group, History history) {
      this.pg = pg;
      this.group = group;
      this.history = history;
    }
  }

  GroupHost(Node node) {
    this.node = node;
  }

  /** Takes over a group's log as the journal's replay left it. */
  void recovered(GroupLog groupLog, History history) {
    history.continueFrom(groupLog.committed());
    slots.put(groupLog.pg(), newSlot(groupLog, history));
  }

  RecentOperations recent() {
    return recent;
  }

  Collection<Slot> slots() {
    return slots.values();
  }

  /** The state log has moved. Called by one thread. */
  void clusterChanged(ClusterView cluster) {
    for (PgView next : cluster.placement().groups()) {
      PgView known = knownViews.put(next.pg(), next);
      if (known == next) {
        continue;
      }
      Slot slot = slots.get(next.pg());
      if (slot == null && !concernsUs(next)) {
        continue;
      }
      Slot target = slot == null ? slot(next.pg()) : slot;
      boolean mayStillServe = known != null && cluster.mayStillServe(known, next);
      event(
          target,
          () -> {
            if (target.group.currentView() == null
                || target.group.currentView().view() < next.view()) {
              target.catchUp = null;
            }
            target.history.mark();
            target.group.view(next, mayStillServe);
          });
    }
    flushes.forEach(this::endWhenStale);
  }

  void handle(Message request, Transport.Reply reply) {
    switch (request) {
      case Message.Write write ->
          write(write).whenComplete((done, failure) -> answer(reply, done, failure));
      case Message.Read read -> virtual(reply, () -> new Message.Data(read(read)));
      case Message.Prepare prepare -> prepare(prepare, reply);
      case Message.NewView newView -> {
        Slot slot = slot(newView.pg());
        reply.send(eventWithResult(slot, () -> slot.group.newView(newView)));
      }
      case Message.Committed committed -> {
        committed.commits().forEach(this::committedElsewhere);
        reply.send(new Message.Done());
      }
      case Message.Flush flush ->
          flush(flush).whenComplete((done, failure) -> answer(reply, done, failure));
      case Message.FlushBackup flush ->
          flushBackup(flush).whenComplete((done, failure) -> answer(reply, done, failure));
      case Message.ListChunks list -> virtual(reply, () -> list(list));
      case Message.ListChanges list -> virtual(reply, () -> listChanges(list));
      case Message.FetchChunk(int pg, ChunkId chunk) ->
          virtual(reply, () -> new Message.Chunk(fetch(pg, chunk, BlockSet.all())));
      case Message.FetchBlocks fetch -> virtual(reply, () -> fetchBlocks(fetch));
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

  /** A client's write, here or from afar. */
  CompletableFuture<Message> write(Message.Write write) {
    CompletableFuture<Message> done = new CompletableFuture<>();
    // What removes data is never held up.
    if (write.mutation() instanceof Mutation.Write && node.room().isBehind()) {
      done.completeExceptionally(
          new TrefoilException(
              Reason.BUSY, "this host's disk is behind; the write is tried again"));
      return done;
    }
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
    Slot slot = slot(write.pg());
    if (removesNothing(slot, write)) {
      done.complete(new Message.Written(write.view(), 0));
      return done;
    }
    int minInSync =
        write.minInSync() > 0
            ? write.minInSync()
            : VolumeInfo.usualMinInSync(Pools.pool(write.pg()));
    event(
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

  /** Reads committed bytes here, healing a damaged chunk from another replica. May block. */
  ByteBuffer read(Message.Read read) {
    checkReadable(read.pg(), read.chunk());
    ByteBuffer bytes = readHealing(read);
    if (!node.leased()) { // a long pause: another view may have been served meanwhile
      throw new TrefoilException(
          Reason.UNAVAILABLE, node.self() + " has lost contact with the cluster's majority");
    }
    return bytes;
  }

  private ByteBuffer readHealing(Message.Read read) {
    try {
      return node.applier().read(read.pg(), read.chunk(), read.offset(), read.length());
    } catch (TrefoilException e) {
      if (e.reason() != Reason.CORRUPT) {
        throw e;
      }
      heal(read.pg(), read.chunk(), e);
      return node.applier().read(read.pg(), read.chunk(), read.offset(), read.length());
    }
  }

  private void checkReadable(int pg, ChunkId chunk) {
    Slot slot = slot(pg);
    Group.Readable readable;
    synchronized (slot) {
      readable = slot.group.readable(chunk);
    }
    switch (readable) {
      case YES -> {}
      case NO_LEASE ->
          throw new TrefoilException(
              Reason.UNAVAILABLE, node.self() + " has lost contact with the cluster's majority");
      case NOT_YET ->
          throw new TrefoilException(
              Reason.BUSY, "group " + pg + " is taking over; the read is tried again");
      case ASK_PRIMARY ->
          throw new TrefoilException(
              Reason.STALE_VIEW, node.self() + " cannot answer for group " + pg + " now");
    }
  }

  /**
   * Fetches the chunk from another in-sync member and replaces ours. Throws the damage when nobody
   * has better.
   */
  void heal(int pg, ChunkId chunk, TrefoilException damage) {
    log.error("damaged chunk, fetching it from another replica: {}", damage.getMessage());
    PgView view = node.view().placement().group(pg).orElse(null);
    List<HostId> others =
        view == null
            ? List.of()
            : view.inSync().stream()
                .map(PgView.Member::host)
                .filter(h -> !h.equals(node.self()))
                .toList();
    for (int round = 0; round < HEAL_ROUNDS && !others.isEmpty(); round++) {
      for (HostId other : others) {
        if (healFrom(other, pg, chunk)) {
          return;
        }
      }
      java.util.concurrent.locks.LockSupport.parkNanos(HEAL_PAUSE_NANOS);
    }
    throw damage;
  }

  private boolean healFrom(HostId other, int pg, ChunkId chunk) {
    try {
      Message answer =
          node.peers()
              .call(other, new Message.FetchChunk(pg, chunk), Duration.ofSeconds(10))
              .join();
      if (answer instanceof Message.Chunk(ChunkImage image) && install(pg, image)) {
        healed++;
        log.warn("chunk {} of group {} was restored from {}", chunk, pg, other);
        node.applier().retry(chunk);
        return true;
      }
    } catch (RuntimeException e) {
      log.warn("{} could not give chunk {}: {}", other, chunk, TrefoilException.of(e).getMessage());
    }
    return false;
  }

  private boolean install(int pg, ChunkImage image) {
    Slot slot = slot(pg);
    CompletableFuture<Boolean> installed;
    synchronized (slot) {
      journalCommitted(slot.pg);
      installed = node.applier().install(pg, image);
    }
    return installed.join();
  }

  /**
   * To be called before an image is journaled, under the group's lock: a replay then redoes what
   * the image holds before it, and not, when it comes to know that it was committed, over it. And
   * before committed writes are applied: a replay then redoes what a stop may tear.
   *
   * @return the record's position
   */
  long journalCommitted(int pg) {
    Slot slot = slot(pg);
    synchronized (slot) {
      GroupLog group = slot.group.log();
      return append(new JournalRecord.Committed(pg, group.last().view(), group.commitIndex()));
    }
  }

  /** The applier met a damaged block under a partial write. */
  void damaged(int pg, ChunkId chunk, TrefoilException why) {
    Thread.startVirtualThread(
        () -> {
          try {
            heal(pg, chunk, why);
          } catch (TrefoilException e) {
            log.error(
                "chunk {} of group {} stays damaged: no other replica could give it", chunk, pg);
          }
        });
  }

  /** Chunks of all groups' histories, roughly. */
  private final AtomicLong remembered = new AtomicLong();

  /** Chunks restored from other replicas since the start. */
  long healed() {
    return healed;
  }

  private volatile long healed;

  private void prepare(Message.Prepare prepare, Transport.Reply reply) {
    awaitRoom();
    Slot slot = slot(prepare.pg());
    reply.send(eventWithResult(slot, () -> slot.group.prepare(prepare)));
  }

  /** A backup that is behind slows its connection down: bounded memory, and nothing refused. */
  private void awaitRoom() {
    if (node.room().isBehind()) {
      node.applier()
          .barrier()
          .orTimeout(ROOM_WAIT_MS, java.util.concurrent.TimeUnit.MILLISECONDS)
          .exceptionally(_ -> null)
          .join();
    }
  }

  private void caughtUp(Message.CaughtUp message) {
    HostInfo joiner = node.view().hosts().get(message.host());
    if (joiner == null || joiner.incarnation() != message.incarnation()) {
      throw new TrefoilException(
          Reason.STALE_VIEW, message.host() + " runs under another incarnation than caught up");
    }
    Slot slot = slot(message.pg());
    event(slot, () -> slot.group.caughtUp(message));
  }

  private void committedElsewhere(int pg, Message.Commit commit) {
    Slot slot = slot(pg);
    event(slot, () -> slot.group.committed(commit.view(), commit.n()));
  }

  /** Makes this primary's committed writes stable at every in-sync member. */
  private CompletableFuture<Message> flush(Message.Flush flush) {
    CompletableFuture<Message> done = new CompletableFuture<>();
    flushes.put(done, flush.viewOfGroup());
    done.whenComplete((_, _) -> flushes.remove(done));
    try {
      flushMembers(flush)
          .whenComplete(
              (_, failure) -> {
                endWhenStale(done, flush.viewOfGroup());
                if (failure == null) {
                  done.complete(new Message.Done());
                } else {
                  done.completeExceptionally(failure);
                }
              });
    } catch (TrefoilException e) {
      done.completeExceptionally(e);
    }
    return done;
  }

  /**
   * A member that does not answer is not waited for any longer once a view without it is there: the
   * flush is asked for again in that view.
   */
  private void endWhenStale(CompletableFuture<Message> flush, Map<Integer, Long> viewOfGroup) {
    try {
      viewOfGroup.forEach(this::servingView);
    } catch (TrefoilException e) {
      flush.completeExceptionally(e);
    }
  }

  private CompletableFuture<?> flushMembers(Message.Flush flush) {
    Map<HostId, Map<Integer, Long>> backups = new HashMap<>();
    for (Map.Entry<Integer, Long> each : flush.viewOfGroup().entrySet()) {
      for (HostId host : flushedAt(each.getKey(), each.getValue())) {
        backups.computeIfAbsent(host, _ -> new HashMap<>()).put(each.getKey(), each.getValue());
      }
    }
    List<CompletableFuture<?>> all = new ArrayList<>();
    all.add(node.journal().sync(node.journal().end()));
    backups.forEach(
        (host, groups) ->
            all.add(node.peers().call(host, new Message.FlushBackup(groups), flushTimeout())));
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  /** The other members that are in sync, or about to be. */
  private Set<HostId> flushedAt(int pg, long inView) {
    Slot slot = slot(pg);
    synchronized (slot) {
      Set<HostId> hosts = new HashSet<>(slot.group.promoting());
      servingView(pg, inView).inSync().forEach(member -> hosts.add(member.host()));
      hosts.remove(node.self());
      return hosts;
    }
  }

  private Duration flushTimeout() {
    return node.detection().multipliedBy(2);
  }

  private PgView servingView(int pg, long inView) {
    Slot slot = slot(pg);
    synchronized (slot) {
      PgView view = slot.group.currentView();
      if (view == null || view.view() != inView || !slot.group.isPrimary() || !node.leased()) {
        throw new TrefoilException(
            Reason.STALE_VIEW,
            node.self() + " is not serving group " + pg + " in view " + inView + "; fetch the map");
      }
      return view;
    }
  }

  private CompletableFuture<Message> flushBackup(Message.FlushBackup flush) {
    for (Map.Entry<Integer, Long> each : flush.viewOfGroup().entrySet()) {
      Slot slot = slot(each.getKey());
      synchronized (slot) {
        PgView view = slot.group.currentView();
        if (view == null || view.view() != each.getValue() || !slot.group.hasRole()) {
          throw new TrefoilException(
              Reason.STALE_VIEW,
              node.self() + " is not in view " + each.getValue() + " of group " + each.getKey());
        }
      }
    }
    return node.journal().sync(node.journal().end()).thenApply(_ -> new Message.Done());
  }

  private Message list(Message.ListChunks list) {
    servingView(list.pg(), list.view());
    node.applier().barrier().join();
    List<ChunkInfo> page = new ArrayList<>();
    boolean more = false;
    for (ChunkInfo info : node.store().list(list.pg())) {
      if (info.id().compareTo(list.after()) > 0) {
        if (page.size() == LIST_PAGE) {
          more = true;
          break;
        }
        page.add(info);
      }
    }
    long commitIndex;
    Slot slot = slot(list.pg());
    synchronized (slot) {
      commitIndex = slot.group.log().commitIndex();
    }
    // On the first page: later operations come with the live stream.
    List<OperationId> answered =
        list.after().equals(CatchUps.BEFORE_ALL) ? recent.ofGroup(list.pg()) : List.of();
    return new Message.ChunkList(commitIndex, page, answered, more);
  }

  /**
   * A group that this host joins has committed these. Called under its lock, before the host counts
   * as having caught up: as primary it must know a retry of any of them. A catch-up that is tried
   * again and again is told the same each time, and journals it once.
   */
  void committedEarlier(int pg, List<OperationId> operations) {
    List<OperationId> news = recent.unknown(operations);
    if (!news.isEmpty()) {
      append(new JournalRecord.Answered(pg, news));
      recent.committedEarlier(pg, news);
    }
  }

  private Message listChanges(Message.ListChanges list) {
    servingView(list.pg(), list.view());
    Slot slot = slot(list.pg());
    synchronized (slot) {
      return slot.history.answer(list, recent.ofGroup(list.pg()));
    }
  }

  private ChunkImage fetch(int pg, ChunkId chunk, BlockSet blocks) {
    PgView view = node.view().placement().group(pg).orElse(null);
    if (view == null || !view.isInSync(node.self(), node.incarnation())) {
      throw new TrefoilException(Reason.STALE_VIEW, node.self() + " is not in sync in group " + pg);
    }
    node.applier().barrier().join();
    try {
      return image(pg, chunk, blocks);
    } catch (TrefoilException e) {
      // Only a primary: two members that heal from each other would ask each other for ever.
      if (e.reason() != Reason.CORRUPT || !isPrimary(pg)) {
        throw e;
      }
      heal(pg, chunk, e);
      return image(pg, chunk, blocks);
    }
  }

  private ChunkImage image(int pg, ChunkId chunk, BlockSet blocks) {
    return node.applier()
        .image(pg, chunk, blocks)
        .orElseGet(() -> new ChunkImage(chunk, Version.NONE, List.of()));
  }

  /**
   * Reads no other blocks: a damaged one that the joiner has of old, and nobody here, must not keep
   * it from joining, and from giving it back. What is written meanwhile is read as well, for the
   * image's version says that it holds it.
   */
  private Message fetchBlocks(Message.FetchBlocks fetch) {
    servingView(fetch.pg(), fetch.view());
    BlockSet blocks = changed(fetch);
    while (true) {
      ChunkImage image = fetch(fetch.pg(), fetch.chunk(), blocks);
      BlockSet now = changed(fetch);
      if (blocks.containsAll(now)) {
        return new Message.Blocks(image, blocks);
      }
      blocks = now;
    }
  }

  private BlockSet changed(Message.FetchBlocks fetch) {
    BlockSet blocks = fetch.blocks().copy();
    Slot slot = slot(fetch.pg());
    synchronized (slot) {
      blocks.add(slot.history.blocksSince(fetch.chunk(), fetch.since()));
    }
    return blocks;
  }

  private boolean isPrimary(int pg) {
    Slot slot = slot(pg);
    synchronized (slot) {
      return slot.group.isPrimary();
    }
  }

  private Map<Integer, Message.Commit> reports(List<Integer> groups) {
    Map<Integer, Message.Commit> reports = new HashMap<>();
    for (int pg : groups) {
      Slot slot = slot(pg);
      synchronized (slot) {
        Version last = slot.group.log().last();
        reports.put(pg, new Message.Commit(last.view(), last.n()));
      }
    }
    return reports;
  }

  /** Time has passed: resend, propose, and announce commit indexes that no PREPARE carried. */
  void tick() {
    for (Slot slot : waiting) {
      event(slot, slot.group::tick);
    }
    sendAnnouncements();
  }

  private void sendAnnouncements() {
    Map<HostId, Map<Integer, Message.Commit>> byHost = new HashMap<>();
    for (Map.Entry<Integer, Version> each : Set.copyOf(announcements.entrySet())) {
      announcements.remove(each.getKey(), each.getValue());
      PgView view = slot(each.getKey()).group.currentView();
      if (view == null || view.view() != each.getValue().view()) {
        continue;
      }
      Set<HostId> receivers = new HashSet<>(view.joining());
      view.inSync().forEach(member -> receivers.add(member.host()));
      receivers.remove(node.self());
      Message.Commit commit = new Message.Commit(each.getValue().view(), each.getValue().n());
      receivers.forEach(
          host -> byHost.computeIfAbsent(host, _ -> new HashMap<>()).put(each.getKey(), commit));
    }
    byHost.forEach(this::announceTo);
  }

  /**
   * What was not heard is said again: a member that does not know a write to be committed sends
   * readers away.
   */
  private void announceTo(HostId host, Map<Integer, Message.Commit> commits) {
    node.peers()
        .call(host, new Message.Committed(commits), node.detection())
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                commits.forEach(
                    (pg, commit) ->
                        announcements.putIfAbsent(pg, new Version(commit.view(), commit.n())));
              }
            });
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
    return node.admission()
        .judge(members, mutation instanceof Mutation.Write write ? write.data().remaining() : 0);
  }

  @Override
  public long append(JournalRecord record) {
    try {
      return node.journal().append(record);
    } catch (TrefoilException e) {
      if (e.reason() == Reason.IO) {
        node.failed(e);
      }
      throw e;
    }
  }

  @Override
  public void send(HostId to, Message message) {
    int pg;
    long inView;
    switch (message) {
      case Message.Prepare prepare -> {
        pg = prepare.pg();
        inView = prepare.view();
        announcements.remove(pg, new Version(inView, prepare.commitIndex()));
      }
      case Message.NewView newView -> {
        pg = newView.pg();
        inView = newView.view();
      }
      default -> throw new IllegalArgumentException("not of the commit protocol: " + message);
    }
    Slot slot = slot(pg);
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
      reply(() -> answered(slot, from, inView, answer, failure));
    } else if (answer instanceof Message.Prepared prepared) {
      event(slot, () -> slot.group.prepared(from, prepared));
    } else {
      TrefoilException why =
          TrefoilException.of(failure == null ? new IllegalStateException("no answer") : failure);
      event(slot, () -> slot.group.unreachable(from, inView, why));
    }
  }

  @Override
  public void committed(Entry entry) {
    recent.committed(entry.pg(), entry.operation(), entry.version());
    Slot slot = slot(entry.pg());
    remember(slot, entry);
    if (slot.catchUp == null || slot.catchUp.admits(entry)) {
      node.applier().committed(entry);
    } else {
      slot.group.log().copyState().leftOut(entry.mutation().chunk(), BlockSet.of(entry.mutation()));
    }
  }

  /** What a member that is away will have to copy. */
  private void remember(Slot slot, Entry entry) {
    int before = slot.history.chunks();
    slot.history.committed(entry);
    PgView view = slot.group.currentView();
    boolean whole =
        view != null && view.joining().isEmpty() && view.inSync().size() == Pools.pool(slot.pg);
    if (whole) {
      slot.history.trimIfDue();
    } else if (remembered.get() > MAX_REMEMBERED_CHUNKS) {
      slot.history.trim();
    }
    remembered.addAndGet(slot.history.chunks() - before);
  }

  @Override
  public void announce(int pg, Version commitIndex) {
    announcements.put(pg, commitIndex);
  }

  @Override
  public void propose(PgView next) {
    node.propose(registered(next));
  }

  @Override
  public void catchUp(int pg, long view, HostId primary) {
    Slot slot = slot(pg);
    recent.forget(pg); // the primary's answers say what the group has committed
    remembered.addAndGet(-slot.history.chunks());
    slot.history.joins(slot.group.log().committed());
    node.startCatchUp(slot, view, primary);
  }

  @Override
  public void reply(Runnable answer) {
    answers.get().add(answer);
  }

  @Override
  public Version committedBefore(OperationId operation) {
    return recent.version(operation);
  }

  // ---- events

  /** Runs an event under the group's lock, then the answers it gave. */
  void event(Slot slot, Runnable event) {
    eventWithResult(
        slot,
        () -> {
          event.run();
          return slot;
        });
  }

  private <T> T eventWithResult(Slot slot, java.util.function.Supplier<T> event) {
    Queue<Runnable> queue = answers.get();
    boolean outermost = queue.isEmpty();
    try {
      synchronized (slot) {
        try {
          return event.get();
        } finally {
          if (slot.group.isWaiting()) {
            waiting.add(slot);
          } else {
            waiting.remove(slot);
          }
        }
      }
    } finally {
      if (outermost) {
        for (Runnable answer = queue.poll(); answer != null; answer = queue.poll()) {
          answer.run();
        }
      }
    }
  }

  Slot slot(int pg) {
    return slots.computeIfAbsent(pg, number -> newSlot(new GroupLog(number), new History()));
  }

  private Slot newSlot(GroupLog groupLog, History history) {
    int replicas = Pools.pool(groupLog.pg());
    Duration lease = node.detection().dividedBy(2);
    Group.GroupSettings settings =
        new Group.GroupSettings(
            VolumeInfo.usualMinInSync(replicas),
            lease.plus(lease.dividedBy(10)),
            node.detection().multipliedBy(3).dividedBy(2));
    return new Slot(
        groupLog.pg(),
        new Group(node.self(), node.incarnation(), groupLog, settings, this),
        history);
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
    return new PgView(next.pg(), next.view(), next.primary(), members, next.joining());
  }

  private static void virtual(Transport.Reply reply, java.util.function.Supplier<Message> work) {
    Thread.startVirtualThread(
        () -> {
          Message done = null;
          Throwable failure = null;
          try {
            done = work.get();
          } catch (Throwable e) {
            failure = e;
          }
          answer(reply, done, failure);
        });
  }

  static void answer(Transport.Reply reply, @Nullable Message done, @Nullable Throwable failure) {
    if (done != null) {
      reply.send(done);
    } else {
      TrefoilException why =
          TrefoilException.of(failure == null ? new IllegalStateException("no answer") : failure);
      if (why.reason() == Reason.INTERNAL) {
        log.error("internal error", why);
      }
      reply.send(new Message.Failed(why.reason(), String.valueOf(why.getMessage()), ""));
    }
  }
}
