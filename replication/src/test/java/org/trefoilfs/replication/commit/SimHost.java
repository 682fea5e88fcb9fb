package org.trefoilfs.replication.commit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.heal.CatchUp;
import org.trefoilfs.replication.heal.History;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostLease;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/** A simulated host: the real groups over a journal and a store that survive a killed process. */
final class SimHost implements GroupPorts {
  /** A chunk of eight blocks of one long each, and the number of its last write. */
  record SimChunk(Version version, long[] blocks) {}

  final SimCluster cluster;
  final HostId id;
  long incarnation;
  boolean running;
  private final List<JournalRecord> journal = new ArrayList<>();
  private final Map<ChunkId, SimChunk> store = new TreeMap<>();
  private final Map<Integer, Group> groups = new TreeMap<>();
  private final Map<Integer, CatchUp> catchUps = new HashMap<>();
  private final Map<Integer, History> histories = new HashMap<>();
  private final Map<OperationId, Version> recent = new HashMap<>();
  private final Queue<Runnable> answers = new ArrayDeque<>();
  private HostLease lease;
  private ClusterView known = ClusterView.empty();
  private final List<Grant> grants = new ArrayList<>();

  private record Grant(long sent, long epoch) {}

  SimHost(SimCluster cluster, HostId id) {
    this.cluster = cluster;
    this.id = id;
  }

  void start() {
    incarnation++;
    running = true;
    lease = new HostLease(SimCluster.DETECTION);
    known = ClusterView.empty();
    groups.clear();
    catchUps.clear();
    histories.clear();
    recent.clear();
    grants.clear();
    Map<Integer, GroupLog> logs = new TreeMap<>();
    for (int i = 0; i < journal.size(); i++) {
      JournalRecord record = journal.get(i);
      int at = i;
      cluster.detail(() -> id + " replays " + at + ": " + record);
      GroupLog log = logs.computeIfAbsent(record.pg(), GroupLog::new);
      for (Entry entry : log.replay(record, i + 1)) {
        history(record.pg()).committed(entry);
        apply(entry, true);
        recent.put(entry.operation(), entry.version());
      }
      switch (record) {
        case JournalRecord.Installed installed -> install(installed.image());
        case JournalRecord.Patched patched -> patch(patched.image(), patched.blocks());
        case JournalRecord.Reset _ -> history(record.pg()).joins(log.committed());
        case JournalRecord.Copying copying when copying.complete() ->
            history(record.pg()).caughtUp();
        default -> {}
      }
    }
    logs.forEach(
        (pg, log) -> {
          history(pg).continueFrom(log.committed());
          groups.put(pg, newGroup(log));
        });
    cluster.trace(id + " starts, incarnation " + incarnation);
    long mine = incarnation;
    beat(mine);
    tick(mine);
    ClusterView view = cluster.view();
    cluster.network.send(SimCluster.LOG, id.value(), () -> learn(view));
  }

  void crash() {
    cluster.trace(id + " is killed");
    running = false;
  }

  private Group newGroup(GroupLog log) {
    long leaseNanos = SimCluster.DETECTION.toNanos() / 2;
    return new Group(
        id,
        incarnation,
        log,
        new Group.GroupSettings(
            cluster.replicas <= 2 ? 1 : cluster.replicas / 2 + 1,
            java.time.Duration.ofNanos(leaseNanos + leaseNanos / 10),
            SimCluster.DETECTION.multipliedBy(3).dividedBy(2)),
        this);
  }

  Group group(int pg) {
    return groups.computeIfAbsent(pg, number -> newGroup(new GroupLog(number)));
  }

  private void beat(long ofIncarnation) {
    if (!running || incarnation != ofIncarnation) {
      return;
    }
    long sent = now();
    lease.sent(sent);
    cluster.network.send(
        id.value(), SimCluster.LOG, () -> cluster.heartbeat(this, ofIncarnation, sent));
    cluster.network.after(250_000_000, () -> beat(ofIncarnation));
  }

  private void tick(long ofIncarnation) {
    if (!running || incarnation != ofIncarnation) {
      return;
    }
    groups.values().forEach(group -> event(group::tick));
    cluster.network.after(20_000_000, () -> tick(ofIncarnation));
  }

  void granted(long toIncarnation, long sent, ClusterView asOf) {
    if (running && incarnation == toIncarnation) {
      grants.add(new Grant(sent, asOf.epoch()));
      countGrants();
    }
  }

  private void countGrants() {
    HostInfo info = known.hosts().get(id);
    if (info == null || info.incarnation() != incarnation || !info.isAlive()) {
      grants.clear();
      return;
    }
    grants.removeIf(
        grant -> {
          boolean counts = grant.epoch() <= known.epoch();
          if (counts) {
            lease.granted(grant.sent());
          }
          return counts;
        });
  }

  void learn(ClusterView view) {
    if (!running || view.epoch() <= known.epoch()) {
      return;
    }
    ClusterView before = known;
    known = view;
    for (PgView next : view.placement().groups()) {
      PgView old = before.placement().group(next.pg()).orElse(null);
      if (next.equals(old)) {
        continue;
      }
      boolean mayStillServe = old != null && leftAlive(old, next, view);
      PgView current = group(next.pg()).currentView();
      if (current == null || current.view() < next.view()) {
        catchUps.remove(next.pg());
      }
      history(next.pg()).mark();
      event(() -> group(next.pg()).view(next, mayStillServe));
    }
    countGrants();
  }

  private static boolean leftAlive(PgView from, PgView to, ClusterView view) {
    return from.inSync().stream()
        .filter(member -> !to.inSync().contains(member))
        .anyMatch(
            member -> {
              HostInfo host = view.hosts().get(member.host());
              return host != null
                  && host.state() == HostState.UP
                  && host.incarnation() == member.incarnation();
            });
  }

  ClusterView known() {
    return known;
  }

  void handle(Message request, Consumer<Message> reply) {
    if (!running) {
      return;
    }
    long mine = incarnation;
    Consumer<Message> answer =
        message -> {
          if (running && incarnation == mine) {
            reply.accept(message);
          }
        };
    try {
      serve(request, answer);
    } catch (TrefoilException e) {
      answer.accept(new Message.Failed(e.reason(), e.getMessage(), ""));
    }
  }

  private void serve(Message request, Consumer<Message> reply) {
    switch (request) {
      case Message.Prepare prepare ->
          reply.accept(result(() -> group(prepare.pg()).prepare(prepare)));
      case Message.NewView newView ->
          reply.accept(result(() -> group(newView.pg()).newView(newView)));
      case Message.Write write ->
          event(
              () ->
                  group(write.pg())
                      .write(
                          write.view(),
                          write.operation(),
                          write.mutation(),
                          new WriteReply() {
                            @Override
                            public void committed(Version version) {
                              reply.accept(new Message.Written(version.view(), version.n()));
                            }

                            @Override
                            public void failed(TrefoilException why) {
                              reply.accept(new Message.Failed(why.reason(), why.getMessage(), ""));
                            }
                          }));
      case Message.Read read -> {
        if (group(read.pg()).readable(read.chunk()) != Group.Readable.YES) {
          throw new TrefoilException(Reason.STALE_VIEW, "cannot answer now");
        }
        reply.accept(
            new Message.Data(SimCluster.data(block(read.chunk(), read.offset() / ChunkId.BLOCK))));
      }
      case Message.ListChanges list -> {
        checkServing(list.pg(), list.view());
        Message.ChangeList changes = history(list.pg()).answer(list);
        cluster.answeredChanges(changes.known());
        reply.accept(changes);
      }
      case Message.FetchBlocks fetch -> reply.accept(blocks(fetch));
      case Message.ListChunks list -> {
        checkServing(list.pg(), list.view());
        reply.accept(
            new Message.ChunkList(
                group(list.pg()).log().commitIndex(), infos(list.pg()), List.of(), false));
      }
      case Message.FetchChunk fetch -> {
        PgView view = known.placement().group(fetch.pg()).orElse(null);
        if (view == null || !view.isInSync(id, incarnation)) {
          throw new TrefoilException(Reason.STALE_VIEW, "not in sync");
        }
        reply.accept(new Message.Chunk(image(fetch.chunk())));
      }
      case Message.CaughtUp caughtUp -> {
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

  private Message blocks(Message.FetchBlocks fetch) {
    checkServing(fetch.pg(), fetch.view());
    BlockSet blocks = fetch.blocks().copy();
    blocks.add(history(fetch.pg()).blocksSince(fetch.chunk(), fetch.since()));
    return new Message.Blocks(image(fetch.chunk()).only(blocks), blocks);
  }

  private void checkServing(int pg, long inView) {
    PgView view = group(pg).currentView();
    if (view == null || view.view() != inView || !group(pg).isPrimary() || !leased()) {
      throw new TrefoilException(Reason.STALE_VIEW, "not primary");
    }
  }

  private History history(int pg) {
    return histories.computeIfAbsent(pg, _ -> new History());
  }

  private Message result(java.util.function.Supplier<Message> step) {
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

  // ---- store

  private void apply(Entry entry, boolean redo) {
    Mutation.Write write = (Mutation.Write) entry.mutation();
    SimChunk chunk = store.getOrDefault(write.chunk(), new SimChunk(Version.NONE, new long[8]));
    if (!redo && entry.n() <= chunk.version().n()) {
      return;
    }
    cluster.detail(() -> id + (redo ? " redoes " : " applies ") + entry);
    long[] blocks = chunk.blocks().clone();
    blocks[write.offset() / ChunkId.BLOCK] = SimCluster.value(write.data());
    store.put(write.chunk(), new SimChunk(entry.version(), blocks));
  }

  private void install(ChunkImage image) {
    if (image.version().equals(Version.NONE)) {
      store.remove(image.id());
      return;
    }
    patch(image, BlockSet.all());
  }

  private void patch(ChunkImage image, BlockSet replaced) {
    SimChunk held = store.getOrDefault(image.id(), new SimChunk(Version.NONE, new long[8]));
    long[] blocks = held.blocks().clone();
    for (BlockSet.Range range : replaced.ranges()) {
      for (int at = range.offset(); at < range.offset() + range.length(); at += ChunkId.BLOCK) {
        if (at / ChunkId.BLOCK < blocks.length) {
          blocks[at / ChunkId.BLOCK] = 0;
        }
      }
    }
    for (Extent extent : image.extents()) {
      blocks[extent.offset() / ChunkId.BLOCK] = SimCluster.value(extent.data());
    }
    store.put(image.id(), new SimChunk(image.version(), blocks));
  }

  private static ChunkImage merged(ChunkImage image, List<Entry> kept) {
    if (kept.isEmpty()) {
      return image;
    }
    Map<Integer, Extent> extents = new TreeMap<>();
    image.extents().forEach(extent -> extents.put(extent.offset(), extent));
    for (Entry entry : kept) {
      Mutation.Write write = (Mutation.Write) entry.mutation();
      extents.put(write.offset(), new Extent(write.offset(), write.data()));
    }
    return new ChunkImage(image.id(), kept.getLast().version(), List.copyOf(extents.values()));
  }

  private ChunkImage image(ChunkId chunk) {
    SimChunk held = store.get(chunk);
    if (held == null) {
      return new ChunkImage(chunk, Version.NONE, List.of());
    }
    List<Extent> extents = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      if (held.blocks()[i] != 0) {
        extents.add(new Extent(i * ChunkId.BLOCK, SimCluster.data(held.blocks()[i])));
      }
    }
    return new ChunkImage(chunk, held.version(), extents);
  }

  private List<ChunkInfo> infos(int pg) {
    return store.entrySet().stream()
        .filter(each -> cluster.groupOf(each.getKey()) == pg)
        .map(
            each ->
                new ChunkInfo(
                    each.getKey(),
                    each.getValue().version(),
                    java.util.Arrays.hashCode(each.getValue().blocks()),
                    1))
        .toList();
  }

  long block(ChunkId chunk, int index) {
    SimChunk held = store.get(chunk);
    return held == null ? 0 : held.blocks()[index];
  }

  // ---- ports

  @Override
  public long now() {
    return cluster.nanoTime();
  }

  @Override
  public boolean leased() {
    return lease.valid(now());
  }

  @Override
  public GroupPorts.Room roomFor(Collection<PgView.Member> members, Mutation mutation) {
    return GroupPorts.Room.ENOUGH;
  }

  @Override
  public long append(JournalRecord record) {
    cluster.detail(() -> id + " journals " + record);
    journal.add(record);
    return journal.size();
  }

  @Override
  public void send(HostId to, Message message) {
    int pg =
        message instanceof Message.Prepare prepare
            ? prepare.pg()
            : ((Message.NewView) message).pg();
    long view =
        message instanceof Message.Prepare prepare
            ? prepare.view()
            : ((Message.NewView) message).view();
    cluster.call(
        this,
        to,
        message,
        answer -> event(() -> group(pg).prepared(to, (Message.Prepared) answer)),
        why -> event(() -> group(pg).unreachable(to, view, why)));
  }

  @Override
  public void committed(Entry entry) {
    recent.put(entry.operation(), entry.version());
    remember(entry);
    CatchUp catchUp = catchUps.get(entry.pg());
    if (!group(entry.pg()).isJoiner() || catchUp == null || catchUp.admits(entry)) {
      apply(entry, false);
    }
  }

  private void remember(Entry entry) {
    history(entry.pg()).committed(entry);
    PgView view = group(entry.pg()).currentView();
    boolean whole = view.joining().isEmpty() && view.inSync().size() == cluster.replicas;
    if (whole && cluster.network.random.nextInt(10) == 0) {
      history(entry.pg()).trim();
    }
  }

  @Override
  public void announce(int pg, Version commitIndex) {
    PgView view = group(pg).currentView();
    List<HostId> receivers = new ArrayList<>(view.joining());
    view.inSync().forEach(member -> receivers.add(member.host()));
    Message.Committed message =
        new Message.Committed(Map.of(pg, new Message.Commit(commitIndex.view(), commitIndex.n())));
    receivers.stream()
        .filter(host -> !host.equals(id))
        .forEach(host -> announceTo(host, pg, message));
  }

  private void announceTo(HostId host, int pg, Message.Committed message) {
    PgView view = group(pg).currentView();
    if (view != null && view.view() == message.commits().get(pg).view()) {
      cluster.call(this, host, message, _ -> {}, _ -> announceTo(host, pg, message));
    }
  }

  @Override
  public void propose(PgView next) {
    List<PgView.Member> members =
        next.inSync().stream()
            .map(
                member ->
                    member.incarnation() == 0
                        ? new PgView.Member(
                            member.host(), known.hosts().get(member.host()).incarnation())
                        : member)
            .toList();
    cluster.propose(
        this, new PgView(next.pg(), next.view(), next.primary(), members, next.joining()));
  }

  @Override
  public void catchUp(int pg, long view, HostId primary) {
    catchUps.put(pg, new CatchUp());
    history(pg).joins(group(pg).log().committed());
    long mine = incarnation;
    cluster.network.after(1, () -> copy(pg, view, primary, mine));
  }

  private boolean joins(int pg, long view, long mine) {
    PgView current = group(pg).currentView();
    return running
        && incarnation == mine
        && current != null
        && current.view() == view
        && group(pg).isJoiner();
  }

  private void copy(int pg, long view, HostId primary, long mine) {
    if (!joins(pg, view, mine)) {
      return;
    }
    Consumer<TrefoilException> again =
        _ -> cluster.network.after(100_000_000, () -> copy(pg, view, primary, mine));
    if (catchUps.get(pg).isComplete()) {
      fetch(pg, view, primary, mine, catchUps.get(pg), again);
      return;
    }
    CatchUp catchUp = new CatchUp();
    catchUps.put(pg, catchUp);
    GroupLog log = group(pg).log();
    Version base = log.copyState().base(log.committed()).orElse(null);
    if (base == null) {
      compareAll(pg, view, primary, mine, catchUp, again);
      return;
    }
    cluster.call(
        this,
        primary,
        new Message.ListChanges(pg, view, base, log.copyState().reached()),
        answer -> {
          if (!joins(pg, view, mine)) {
            return;
          }
          Message.ChangeList changes = (Message.ChangeList) answer;
          cluster.detail(() -> id + " of " + pg + ", base " + base + ", learns " + changes);
          Map<ChunkId, BlockSet> own =
              changes.known() ? history(pg).ownSince(changes.since(), base).orElse(null) : null;
          if (own == null) {
            compareAll(pg, view, primary, mine, catchUp, again);
            return;
          }
          changes.chunks().forEach(chunk -> want(pg, catchUp, chunk));
          own.forEach(catchUp::changed);
          catchUp.listed(changes.since());
          fetch(pg, view, primary, mine, catchUp, again);
        },
        again);
  }

  private void want(int pg, CatchUp catchUp, Message.ChangedChunk chunk) {
    SimChunk held = store.get(chunk.id());
    boolean there =
        held != null
            && held.version().n() >= chunk.lastN()
            && group(pg).log().copyState().hasCopied(chunk.id());
    if (!there) {
      catchUp.changed(chunk.id(), held == null ? BlockSet.all() : chunk.blocks());
    }
  }

  private void compareAll(
      int pg,
      long view,
      HostId primary,
      long mine,
      CatchUp catchUp,
      Consumer<TrefoilException> again) {
    catchUp.compareAll(infos(pg));
    cluster.call(
        this,
        primary,
        new Message.ListChunks(pg, view, new ChunkId(0, 0)),
        answer -> {
          if (joins(pg, view, mine)) {
            catchUp.listing(((Message.ChunkList) answer).chunks());
            catchUp
                .listingEnded()
                .forEach(
                    gone -> {
                      ChunkImage none = new ChunkImage(gone, Version.NONE, List.of());
                      append(new JournalRecord.Installed(pg, none));
                      install(none);
                    });
            fetch(pg, view, primary, mine, catchUp, again);
          }
        },
        again);
  }

  private void fetch(
      int pg,
      long view,
      HostId primary,
      long mine,
      CatchUp catchUp,
      Consumer<TrefoilException> again) {
    if (!joins(pg, view, mine)) {
      return;
    }
    CatchUp.Wanted wanted = catchUp.startFetch().orElse(null);
    cluster.detail(() -> id + " of " + pg + " wants " + wanted);
    if (wanted == null) {
      GroupLog log = group(pg).log();
      if (!catchUp.isComplete()) {
        again.accept(new TrefoilException(Reason.BUSY, "not complete"));
        return;
      }
      log.copyState().caughtUp(log.committed());
      history(pg).caughtUp();
      append(log.copyState().record(pg));
      cluster.call(
          this,
          primary,
          new Message.CaughtUp(pg, view, id, incarnation, group(pg).joinedAt()),
          _ -> cluster.network.after(2_000_000_000L, () -> copy(pg, view, primary, mine)),
          again);
      return;
    }
    cluster.call(
        this,
        primary,
        wanted.blocks().isAll()
            ? new Message.FetchChunk(pg, wanted.chunk())
            : new Message.FetchBlocks(pg, view, wanted.chunk(), catchUp.since(), wanted.blocks()),
        answer -> {
          if (joins(pg, view, mine) && catchUps.get(pg) == catchUp) {
            ChunkImage image =
                answer instanceof Message.Blocks some
                    ? some.image()
                    : ((Message.Chunk) answer).image();
            BlockSet blocks =
                answer instanceof Message.Blocks some ? some.blocks() : BlockSet.all();
            catchUp
                .fetched(image, blocks)
                .ifPresent(kept -> replace(pg, merged(image, kept), blocks));
            fetch(pg, view, primary, mine, catchUp, again);
          }
        },
        again);
  }

  private void replace(int pg, ChunkImage image, BlockSet blocks) {
    if (blocks.isAll() || image.version().equals(Version.NONE)) {
      append(new JournalRecord.Installed(pg, image));
      install(image);
    } else {
      append(new JournalRecord.Patched(pg, image, blocks));
      patch(image, blocks);
    }
    group(pg).log().copyState().copied(image.id(), image.version());
  }

  @Override
  public void reply(Runnable answer) {
    answers.add(answer);
  }

  @Override
  public Version committedBefore(OperationId operation) {
    return recent.getOrDefault(operation, Version.NONE);
  }
}
