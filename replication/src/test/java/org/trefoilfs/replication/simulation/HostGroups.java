package org.trefoilfs.replication.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.commit.Group;
import org.trefoilfs.replication.commit.GroupLog;
import org.trefoilfs.replication.commit.GroupPorts;
import org.trefoilfs.replication.commit.WriteReply;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.host.RecoveredHost;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostLease;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * The groups of one process, and the world that they ask for: {@code GroupHost} and its duties,
 * single-threaded.
 */
final class HostGroups implements GroupPorts {
  private final SimHost host;
  private final World world;
  private final long incarnation;
  private final RecoveredHost recovered;
  private final Map<Integer, Group> groups = new TreeMap<>();
  private final Map<Integer, Version> announcements = new TreeMap<>();
  private final Queue<Runnable> answers = new ArrayDeque<>();
  private final Flushes flushes;
  final SimApplier applier;
  final Joining joining;

  HostGroups(SimHost host) {
    this.host = host;
    this.world = host.world;
    this.incarnation = host.incarnation;
    recovered = new RecoveredHost(host.disk.store);
    long position = host.disk.firstPosition();
    for (JournalRecord record : host.disk.records()) {
      recovered.replay(record, position++);
    }
    recovered
        .groups()
        .forEach(
            (pg, log) -> {
              history(pg).continueFrom(log.committed());
              groups.put(pg, newGroup(log));
            });
    applier = new SimApplier(host);
    joining = new Joining(host, this);
    flushes = new Flushes(host, this);
  }

  private Group newGroup(GroupLog log) {
    return new Group(
        host.id,
        incarnation,
        log,
        new Group.GroupSettings(
            HostLease.outlasted(World.DETECTION), World.DETECTION.multipliedBy(3).dividedBy(2)),
        this);
  }

  Group group(int pg) {
    return groups.computeIfAbsent(pg, number -> newGroup(new GroupLog(number)));
  }

  Collection<Group> all() {
    return groups.values();
  }

  void view(PgView old, PgView next, ClusterView cluster) {
    boolean mayStillServe = old != null && cluster.mayStillServe(old, next);
    PgView current = group(next.pg()).currentView();
    if (current == null || current.view() < next.view()) {
      joining.forget(next.pg());
    }
    history(next.pg()).mark();
    event(() -> group(next.pg()).view(next, mayStillServe));
    world.checks.roleChanged(host, group(next.pg()));
  }

  /** As a host does, for the groups alone that say that they wait. */
  void tick() {
    for (Group group : List.copyOf(groups.values())) {
      if (group.isWaiting()) {
        event(group::tick);
      }
    }
    Map<Integer, Version> due = new TreeMap<>(announcements);
    announcements.clear();
    due.forEach(this::announceNow);
  }

  void endStaleFlushes() {
    flushes.endStale();
  }

  // ---- requests

  void serve(Message request, Consumer<Message> reply) {
    switch (request) {
      case Message.Prepare prepare ->
          reply.accept(result(() -> group(prepare.pg()).prepare(prepare)));
      case Message.NewView newView ->
          reply.accept(result(() -> group(newView.pg()).newView(newView)));
      case Message.Write write -> write(write, reply);
      case Message.Read read -> read(read, reply);
      case Message.Flush flush -> flushes.flush(flush, reply);
      case Message.FlushBackup flush -> flushes.flushBackup(flush, reply);
      case Message.ListChunks list -> {
        servingView(list.pg(), list.view());
        after(
            applier.barrier(),
            reply,
            () ->
                new Message.ChunkList(
                    group(list.pg()).log().commitIndex(),
                    host.disk.store.list(list.pg()),
                    recovered.committedIn(list.pg()),
                    false));
      }
      case Message.FetchChunk fetch -> {
        PgView view = host.known().placement().group(fetch.pg()).orElse(null);
        if (view == null || !view.isInSync(host.id, incarnation)) {
          throw new TrefoilException(Reason.STALE_VIEW, "not in sync");
        }
        after(
            applier.barrier(),
            reply,
            () -> new Message.Chunk(image(fetch.pg(), fetch.chunk(), BlockSet.all())));
      }
      case Message.ListChanges list -> {
        servingView(list.pg(), list.view());
        reply.accept(history(list.pg()).answer(list, recovered.committedIn(list.pg())));
      }
      case Message.FetchBlocks fetch -> {
        servingView(fetch.pg(), fetch.view());
        after(applier.barrier(), reply, () -> blocks(fetch));
      }
      case Message.CaughtUp caughtUp -> {
        HostInfo joiner = host.known().hosts().get(caughtUp.host());
        if (joiner == null || joiner.incarnation() != caughtUp.incarnation()) {
          throw new TrefoilException(Reason.STALE_VIEW, "another incarnation");
        }
        event(() -> group(caughtUp.pg()).caughtUp(caughtUp));
        reply.accept(new Message.Done());
      }
      case Message.Committed committed -> {
        committed
            .commits()
            .forEach((pg, commit) -> event(() -> group(pg).committed(commit.view(), commit.n())));
        reply.accept(new Message.Done());
      }
      default -> throw new IllegalArgumentException(request.toString());
    }
  }

  /** Answers when something is done; what then fails is the answer, too. */
  void after(CompletableFuture<?> done, Consumer<Message> reply, Supplier<Message> answer) {
    done.thenApply(_ -> answer.get())
        .whenComplete(
            (message, failure) -> {
              if (failure == null) {
                reply.accept(message);
              } else {
                TrefoilException why = TrefoilException.of(failure);
                reply.accept(
                    new Message.Failed(why.reason(), String.valueOf(why.getMessage()), ""));
              }
            });
  }

  private void write(Message.Write write, Consumer<Message> reply) {
    WriteReply answer =
        new WriteReply() {
          @Override
          public void committed(Version version) {
            reply.accept(new Message.Written(version.view(), version.n()));
          }

          @Override
          public void failed(TrefoilException why) {
            reply.accept(new Message.Failed(why.reason(), why.getMessage(), ""));
          }
        };
    event(
        () ->
            group(write.pg())
                .write(
                    write.view(), write.minInSync(), write.operation(), write.mutation(), answer));
  }

  private void read(Message.Read read, Consumer<Message> reply) {
    if (group(read.pg()).readable(read.chunk()) != Group.Readable.YES) {
      throw new TrefoilException(Reason.STALE_VIEW, "cannot answer now");
    }
    try {
      long value = applier.block(read.pg(), read.chunk(), read.offset() / SimStore.BLOCK_BYTES);
      reply.accept(new Message.Data(SimStore.data(value)));
    } catch (TrefoilException e) {
      heal(read.pg(), read.chunk());
      throw e; // the reader asks again, here or elsewhere
    }
  }

  void committedEarlier(int pg, List<OperationId> operations) {
    List<OperationId> news = recovered.unknown(operations);
    if (!news.isEmpty()) {
      append(new JournalRecord.Answered(pg, news));
      recovered.committedEarlier(pg, news);
    }
  }

  List<OperationId> committedIn(int pg) {
    return recovered.committedIn(pg);
  }

  private Message blocks(Message.FetchBlocks fetch) {
    BlockSet blocks = fetch.blocks().copy();
    blocks.add(history(fetch.pg()).blocksSince(fetch.chunk(), fetch.since()));
    return new Message.Blocks(image(fetch.pg(), fetch.chunk(), blocks), blocks);
  }

  private ChunkImage image(int pg, ChunkId chunk, BlockSet blocks) {
    try {
      return applier.image(pg, chunk, blocks);
    } catch (TrefoilException e) {
      world.trace.add(() -> host.id + " cannot give " + chunk + ": " + e.getMessage());
      if (group(pg).isPrimary()) {
        heal(pg, chunk);
      }
      throw e; // the joiner asks again
    }
  }

  /** A damaged chunk is fetched from another in-sync member. */
  void heal(int pg, ChunkId chunk) {
    PgView view = host.known().placement().group(pg).orElse(null);
    if (view == null) {
      return;
    }
    List<HostId> others = new ArrayList<>();
    view.inSync().forEach(member -> others.add(member.host()));
    others.remove(host.id);
    for (HostId other : others) {
      host.world.trace.add(() -> host.id + " heals " + chunk + " from " + other);
      call(
          other,
          new Message.FetchChunk(pg, chunk),
          answer -> applier.install(pg, ((Message.Chunk) answer).image()),
          _ -> {});
    }
  }

  /** The view, if this host serves it as its primary. */
  PgView servingView(int pg, long inView) {
    PgView view = group(pg).currentView();
    if (view == null || view.view() != inView || !group(pg).isPrimary() || !host.leased()) {
      throw new TrefoilException(Reason.STALE_VIEW, "not serving group " + pg);
    }
    return view;
  }

  void call(
      HostId to, Message request, Consumer<Message> answered, Consumer<TrefoilException> failed) {
    world.call(
        host.node,
        to,
        request,
        new World.Caller() {
          @Override
          public void deliver(Runnable step) {
            host.inProcess(incarnation, step);
          }

          @Override
          public void answered(Message answer) {
            answered.accept(answer);
          }

          @Override
          public void failed(TrefoilException why) {
            failed.accept(why);
          }
        });
  }

  // ---- events

  private Message result(Supplier<Message> step) {
    Message[] result = new Message[1];
    event(() -> result[0] = step.get());
    return result[0];
  }

  private void event(Runnable step) {
    try {
      step.run();
    } finally {
      for (Runnable answer = answers.poll(); answer != null; answer = answers.poll()) {
        answer.run();
      }
    }
  }

  // ---- ports

  @Override
  public long now() {
    return host.clock.nanoTime();
  }

  @Override
  public boolean leased() {
    return host.leased();
  }

  @Override
  public Room roomFor(Collection<PgView.Member> members, Mutation mutation) {
    boolean full = members.stream().anyMatch(member -> world.host(member.host()).disk.full);
    // Reports of free space are old by some heartbeats.
    return full && !world.network.oneIn(4) ? Room.FULL : Room.ENOUGH;
  }

  @Override
  public long append(JournalRecord record) {
    host.point();
    long position = host.disk.append(record);
    world.trace.add(() -> host.id + " journals " + position + ": " + record);
    host.point();
    return position;
  }

  @Override
  public void send(HostId to, Message message) {
    host.point();
    int pg = message instanceof Message.Prepare p ? p.pg() : ((Message.NewView) message).pg();
    long view =
        message instanceof Message.Prepare p ? p.view() : ((Message.NewView) message).view();
    if (message instanceof Message.Prepare prepare) {
      announcements.remove(pg, new Version(view, prepare.commitIndex()));
    }
    call(
        to,
        message,
        answer -> event(() -> group(pg).prepared(to, (Message.Prepared) answer)),
        why -> event(() -> group(pg).unreachable(to, view, why)));
  }

  @Override
  public void committed(Entry entry) {
    host.point();
    world.checks.committed(host, group(entry.pg()), entry);
    recovered.committed(entry);
    remember(entry);
    if (joining.admits(entry)) {
      applier.committed(entry);
    } else {
      group(entry.pg())
          .log()
          .copyState()
          .leftOut(entry.mutation().chunk(), BlockSet.of(entry.mutation()));
    }
  }

  /** What a member that is away will have to copy; forgotten soon while nobody is. */
  private void remember(Entry entry) {
    History history = history(entry.pg());
    history.committed(entry);
    PgView view = group(entry.pg()).currentView();
    boolean whole = view.joining().isEmpty() && view.inSync().size() == world.plan.replicas();
    if (whole && world.network.oneIn(10)) {
      history.trim();
    }
  }

  History history(int pg) {
    return recovered.history(pg);
  }

  @Override
  public void announce(int pg, Version commitIndex) {
    announcements.put(pg, commitIndex);
  }

  private void announceNow(int pg, Version commitIndex) {
    PgView view = group(pg).currentView();
    if (view == null || view.view() != commitIndex.view()) {
      return;
    }
    Set<HostId> receivers = new HashSet<>(view.joining());
    view.inSync().forEach(member -> receivers.add(member.host()));
    receivers.remove(host.id);
    Message message =
        new Message.Committed(Map.of(pg, new Message.Commit(commitIndex.view(), commitIndex.n())));
    receivers.forEach(
        to -> call(to, message, _ -> {}, _ -> announcements.putIfAbsent(pg, commitIndex)));
  }

  @Override
  public void propose(PgView next) {
    List<PgView.Member> members =
        next.inSync().stream()
            .map(
                member ->
                    member.incarnation() == 0
                        ? new PgView.Member(
                            member.host(),
                            host.known().host(member.host()).orElseThrow().incarnation())
                        : member)
            .toList();
    world.log.propose(
        host,
        new org.trefoilfs.replication.membership.ClusterCommand.ChangeViews(
            List.of(
                new org.trefoilfs.replication.membership.ClusterCommand.Change(
                    next.view() - 1,
                    new PgView(next.pg(), next.view(), next.primary(), members, next.joining())))));
  }

  @Override
  public void catchUp(int pg, long view, HostId primary) {
    recovered.forget(pg);
    history(pg).joins(group(pg).log().committed());
    joining.start(pg, view, primary);
  }

  @Override
  public void reply(Runnable answer) {
    answers.add(answer);
  }

  @Override
  public Version committedBefore(OperationId operation) {
    return recovered.committedBefore(operation);
  }
}
