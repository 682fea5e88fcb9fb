package org.trefoilfs.replication.host;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.FileChunkStore;
import org.trefoilfs.replication.chunk.Space;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.env.SystemRandom;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.journal.JournalOptions;
import org.trefoilfs.replication.journal.SegmentedJournal;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterModule;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.FailureDetector;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostLease;
import org.trefoilfs.replication.membership.SessionFence;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.StateLogRouter;
import org.trefoilfs.replication.statelog.StateLogService;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.ratis.RatisOptions;
import org.trefoilfs.replication.statelog.ratis.RatisStateLog;
import org.trefoilfs.replication.transport.Intake;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.netty.LaneLoops;
import org.trefoilfs.replication.transport.netty.NettyServer;
import org.trefoilfs.replication.transport.netty.NettyTransport;
import org.trefoilfs.replication.volume.Volume;

/**
 * One host: its journal, chunks, placement groups, replica of the state log, and its place on the
 * wire. The composition root of this module: here, and nowhere else, threads and clocks are chosen.
 */
public final class Host implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(Host.class);

  /**
   * How often resends, proposals and commit indexes go out: a share of a disk's sync, so that it
   * delays nothing.
   */
  private static final Duration TICK = Duration.ofMillis(5);

  /** Between two looks at whether a view has come that is waited for. */
  private static final long VIEW_LOOK_NANOS = 5_000_000;

  /** For another voter to take the lead: it has to hold the whole log, which it mostly does. */
  private static final Duration TRANSFER = Duration.ofSeconds(1);

  /** Directory of the state log. */
  static final String LOG = "log";

  private final HostOptions options;
  private final Introduction introduction;
  private final TimeSource time = SystemTime.INSTANCE;
  private final AdminHandler admin;

  /** Two hundred times a second, by one thread that nobody wakes; see {@link #startTimers}. */
  private final ScheduledExecutorService ticker;

  private final ScheduledExecutorService timer;
  private final ScheduledExecutorService heart;
  private final ExecutorService viewThread;
  private final ClusterModule clusterModule = new ClusterModule();
  private final LaneLoops loops = new LaneLoops("trefoil-net");
  private final NettyTransport transport;
  private final NettyServer server;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final AtomicBoolean fenced = new AtomicBoolean();
  private final CompletableFuture<TrefoilException> failed = new CompletableFuture<>();
  private final CountDownLatch ready = new CountDownLatch(1);
  private volatile @Nullable Identity identity;

  /** Of the thread that follows the views. */
  private ClusterView seen = ClusterView.empty();

  // Set once, before `ready` opens the door to requests.
  private @Nullable Running running;

  /** What exists once the host knows who it is. */
  record Running(
      Identity identity,
      Journal journal,
      ChunkStore store,
      Applier applier,
      GroupHost groups,
      CatchUps catchUps,
      Checkpoint checkpoint,
      PayloadMemory memory,
      RatisStateLog ratis,
      StateLogRouter router,
      ClusterClient cluster,
      Proposals proposals,
      Heartbeats heartbeats,
      FailureDetector detector,
      Sessions sessions,
      LeaderDuties duties,
      HostLink link) {}

  /**
   * Starts a host, and returns when it is a member of its cluster and serves.
   *
   * @param modules state machines that ride on the state log beside the cluster's own
   * @param left sessions of mounts that an earlier process of this host has left, kept alive from
   *     the first moment on
   * @throws TrefoilException BUSY (port taken), REFUSED (another cluster), EXISTS (name taken),
   *     UNAVAILABLE (nobody to join answers), CORRUPT, IO
   */
  public static Host start(
      HostOptions options,
      List<StateModule> modules,
      AdminHandler admin,
      Map<Long, MountPulse> left) {
    Host host = new Host(options, admin);
    try {
      host.run(modules, left);
      return host;
    } catch (RuntimeException | Error e) {
      host.close();
      throw e;
    }
  }

  private Host(HostOptions options, AdminHandler admin) {
    this.options = options;
    this.admin = admin;
    ticker = Timers.start("trefoil-tick", 1);
    timer = Timers.start("trefoil-timer", 2);
    heart = Timers.start("trefoil-heart", 1);
    viewThread =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("trefoil-views").daemon().factory());
    createDirectory(options.data());
    introduction = Introduction.of(options);
    Address listen = introduction.listen();
    Addresses.checkFree(listen);
    Supplier<LocalIdentity> local = this::localIdentity;
    transport = new NettyTransport(local, TransportOptions.DEFAULT, loops);
    server = NettyServer.start(listen, new Service(), local, TransportOptions.DEFAULT, loops);
  }

  /** As {@link #start(HostOptions, List, AdminHandler, Map)}, of a host that has no mounts left. */
  public static Host start(HostOptions options, List<StateModule> modules, AdminHandler admin) {
    return start(options, modules, admin, Map.of());
  }

  private void run(List<StateModule> modules, Map<Long, MountPulse> left) {
    Identity self = introduction.introduce(server.address(), transport, time);
    HostOptions.checkPatience(options.settings().timeout(), self.detection());
    identity = self;
    introduction.checkSameCluster(transport);
    self.save(options.data());
    Running started = assemble(self, modules, introduction.seeds(), introduction.start());
    running = started;
    introduction.checkGroups(clusterModule.view());
    clusterModule.listen(view -> viewThread.execute(this::viewChanged));
    if (clusterModule.view().clusterId().isEmpty() && introduction.founds(self)) {
      introduction.found(self, started.cluster());
    }
    ready.countDown();
    left.forEach((id, mount) -> started.sessions().opened(id, time.nanoTime(), mount));
    startTimers(started);
    awaitServing(started);
    log.info(
        "host {} ({}) of cluster {} serves on {}",
        self.name(),
        self.host(),
        self.clusterId(),
        self.address());
  }

  private Running assemble(
      Identity self, List<StateModule> modules, Set<Address> seeds, RatisOptions.Start start) {
    Path data = options.data();
    Duration detection = self.detection();
    PayloadLimits limits = PayloadLimits.of(options.settings().writeMemory());
    FileChunkStore store = FileChunkStore.open(data.resolve("chunks"));
    HostNode node = new HostNode(self, time, clusterModule::view, detection);
    GroupHost groups = new GroupHost(node);
    Recovery recovery = new Recovery(store, groups.recent());
    JournalOptions journalOptions =
        JournalOptions.forDisk(store.space().total(), SystemRandom.INSTANCE);
    SegmentedJournal journal =
        SegmentedJournal.open(data.resolve("journal"), journalOptions, recovery::replay);
    Applier applier =
        new Applier(journal, store, groups.slots(), groups.healing()::damaged, this::fail);
    DiskRoom room = new DiskRoom(store, journal, journalOptions, applier, limits);
    PayloadMemory memory = new PayloadMemory(limits, room, time);
    FailureDetector detector = new FailureDetector(time, detection);
    List<StateModule> all = new ArrayList<>(modules);
    all.addFirst(clusterModule);
    RatisStateLog ratis =
        RatisStateLog.start(
            new RatisOptions(
                data.resolve(LOG),
                self.host(),
                self.raftAddress(),
                UUID.fromString(self.clusterId()),
                start,
                RatisOptions.Settings.DEFAULT),
            all);
    // Without the log a host learns of no view; it must not look alive to those who have one.
    var unused = ratis.failed().thenAccept(cause -> fail(stopped(cause)));
    OwnRequests own = new OwnRequests(memory, this::handle, detection.dividedBy(2));
    HostLink link = new HostLink(self.host(), transport, own, clusterModule::view, seeds);
    StateLogRouter router =
        new StateLogRouter(
            Optional.of(ratis),
            transport,
            new StateLogRouter.Hosts(link::addresses, link::address),
            new StateLogRouter.Timing(
                options.settings().timeout(), StateLogRouter.Timing.DEFAULT_ATTEMPT, time, timer));
    ClusterClient cluster = new ClusterClient(router);
    Proposals proposals = new Proposals(cluster);
    CatchUps catchUps = new CatchUps(groups, node, options.settings().catchUpRate());
    Heartbeats heartbeats =
        new Heartbeats(
            new Heartbeats.Wiring(
                self.host(),
                self.incarnation(),
                time,
                transport,
                ratis,
                clusterModule::view,
                stopping -> ownHeartbeat(self, room, groups.fence(), stopping, catchUps),
                fenced::get,
                new HostLease(detection),
                detector,
                detection,
                seeds));
    node.wire(
        new HostNode.Parts(
            journal,
            store,
            applier,
            heartbeats,
            link,
            proposals,
            catchUps,
            room,
            memory,
            this::fail));
    recovery
        .groups(journal.replayReport().loss())
        .forEach((pg, groupLog) -> groups.recovered(groupLog, recovery.history(pg)));
    Checkpoint checkpoint =
        new Checkpoint(
            journal,
            store,
            applier,
            groups,
            (long) journalOptions.segmentBytes() * HostLimits.CHECKPOINT_SEGMENTS);
    Sessions sessions = new Sessions(transport, time, link::addresses);
    LeaderDuties duties =
        new LeaderDuties(
            new LeaderDuties.Wiring(
                self.host(), time, ratis, clusterModule, detector, link, detection));
    return new Running(
        self,
        journal,
        store,
        applier,
        groups,
        catchUps,
        checkpoint,
        memory,
        ratis,
        router,
        cluster,
        proposals,
        heartbeats,
        detector,
        sessions,
        duties,
        link);
  }

  private static TrefoilException stopped(Throwable cause) {
    return new TrefoilException(
        Reason.IO,
        "the state log of this host has stopped ("
            + cause
            + "); remove the cause and start the host again",
        cause);
  }

  private static Message.Heartbeat ownHeartbeat(
      Identity self, DiskRoom room, SessionFence fence, boolean stopping, CatchUps catchUps) {
    Space space = self.witness() ? new Space(0, 0) : room.space();
    return new Message.Heartbeat(
        self.host(),
        self.incarnation(),
        space.total(),
        space.usable(),
        fence.fenced(),
        stopping,
        catchUps.progress());
  }

  private void startTimers(Running started) {
    long beat = started.identity().detection().toMillis() / 8;
    heart.scheduleAtFixedRate(guarded(started.heartbeats()::beat), 0, beat, TimeUnit.MILLISECONDS);
    ticker.scheduleWithFixedDelay(
        guarded(
            () -> {
              started.groups().tick();
              started.proposals().flush();
            }),
        TICK.toMillis(),
        TICK.toMillis(),
        TimeUnit.MILLISECONDS);
    heart.scheduleWithFixedDelay(guarded(started.duties()::tick), 50, 50, TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(
        guarded(started.applier()::retryStarved), 1000, 500, TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(
        guarded(started.checkpoint()::runIfDue), 1000, 100, TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(
        guarded(started.sessions()::ping),
        200,
        Sessions.INTERVAL.toMillis(),
        TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(
        guarded(() -> KnownHosts.save(options.data(), started.link().addresses())),
        1,
        10,
        TimeUnit.SECONDS);
  }

  /** What others ask for. */
  private final class Service implements Transport.Handler {
    @Override
    public void handle(Message request, Transport.Reply reply) {
      Host.this.handle(request, reply);
    }

    /** What comes before the host serves is refused, and kept by nobody. */
    @Override
    public Intake.Ticket ask(Message.Lane lane, long bytes) {
      Running now = ready.getCount() == 0 ? running : null;
      return now == null ? Intake.Ticket.FREE : now.memory().ask(lane, bytes);
    }
  }

  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        log.error("a periodic task failed; it is tried again", e);
      }
    };
  }

  /** A host serves once the state log knows it as running under this incarnation. */
  private void awaitServing(Running started) {
    Identity self = started.identity();
    long deadline = time.nanoTime() + options.settings().timeout().toNanos();
    while (!isUp(self)) {
      if (failed.isDone()) {
        throw failed.join();
      }
      if (time.nanoTime() - deadline > 0) {
        log.warn(
            "no majority of the cluster's voters answers yet; this host waits for {}, and serves as soon as they are up",
            started.link().addresses());
        return;
      }
      LockSupport.parkNanos(VIEW_LOOK_NANOS);
    }
  }

  private boolean isUp(Identity self) {
    HostInfo host = clusterModule.view().hosts().get(self.host());
    return host != null && host.isAlive() && host.incarnation() == self.incarnation();
  }

  private void viewChanged() {
    Running now = running;
    if (now != null && !closed.get()) {
      ClusterView view = clusterModule.view();
      now.detector().observe(view);
      now.groups().clusterChanged(view);
      now.link().viewChanged(seen, view);
      boolean ended = !view.sessions().keySet().containsAll(seen.sessions().keySet());
      seen = view;
      now.heartbeats().viewChanged();
      if (ended) {
        beatNow(now);
      }
    }
  }

  /** Who ended a session waits until every host has said that it keeps its writes out. */
  private void beatNow(Running now) {
    try {
      heart.execute(guarded(now.heartbeats()::beat));
    } catch (RejectedExecutionException stopping) {
      log.debug("no heartbeat any more", stopping);
    }
  }

  private void handle(Message request, Transport.Reply reply) {
    Running now = ready.getCount() == 0 ? running : null;
    if (now == null || closed.get()) {
      throw new TrefoilException(
          Reason.UNAVAILABLE, "this host is starting or stopping; ask again");
    }
    switch (request) {
      case Message.Heartbeat heartbeat -> Replies.when(now.heartbeats().received(heartbeat), reply);
      case Message.StateSubmit _,
          Message.StateQuery _,
          Message.StateLease _,
          Message.StateKeepLeases _ ->
          new StateLogService(now.ratis(), now.link()::address).handle(request, reply);
      case Message.MapRequest map ->
          reply.send(new Message.MapReply(clusterModule.deltaSince(map.epoch())));
      case Message.SessionPing ping -> now.duties().pinged(ping, reply);
      case Message.Admin(String verb, byte[] body) ->
          Thread.startVirtualThread(() -> administer(now, verb, body, reply));
      default -> {
        if (fenced.get()) {
          throw new TrefoilException(
              Reason.UNAVAILABLE,
              "this host's disk has failed; it serves nothing until it is replaced");
        }
        GroupReply answer = new GroupReply(reply, fenced::get);
        try {
          now.groups().handle(request, answer);
        } catch (TrefoilException e) {
          throw answer.refusal(e);
        }
      }
    }
  }

  private void administer(Running now, String verb, byte[] body, Transport.Reply reply) {
    CompletableFuture<byte[]> answer;
    try {
      answer =
          verb.equals(JoinRequest.VERB)
              ? JoinRequest.accept(new ByteReader(body), now.cluster(), clusterModule::view)
              : admin.handle(verb, body);
    } catch (RuntimeException e) {
      answer = CompletableFuture.failedFuture(e);
    }
    Replies.when(answer.thenApply(Message.AdminReply::new), reply);
  }

  private static void createDirectory(Path data) {
    try {
      Files.createDirectories(data);
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO, "cannot create the data directory " + data + ": " + e.getMessage(), e);
    }
  }

  private LocalIdentity localIdentity() {
    Identity known = identity;
    return known == null
        ? LocalIdentity.CLIENT
        : new LocalIdentity(known.clusterId(), known.host().value(), known.incarnation());
  }

  /**
   * An I/O error of the disk is fatal for the store: what was acknowledged can no longer be
   * promised from here.
   */
  private void fail(TrefoilException why) {
    if (fenced.compareAndSet(false, true)) {
      log.error("this host stops serving: {}", why.getMessage(), why);
      failed.complete(why);
    }
  }

  // ---- what the composition root above uses

  public Identity identity() {
    return java.util.Objects.requireNonNull(identity);
  }

  public ClusterView view() {
    return clusterModule.view();
  }

  public ClusterClient cluster() {
    return started().cluster();
  }

  public StateLog stateLog() {
    return started().router();
  }

  public Transport transport() {
    return transport;
  }

  public boolean isLeader() {
    return started().ratis().isLeader();
  }

  public Optional<HostId> leader() {
    return started().ratis().leader();
  }

  /** Who votes in the state log. */
  public Set<HostId> voters() {
    return started().duties().voters();
  }

  /**
   * What the state log's leader last heard of every host; not older than a few heartbeats while
   * this host is leased.
   */
  public Map<HostId, Message.HostReport> reports() {
    return started().heartbeats().reports();
  }

  /** Whether this host is in touch with a majority. */
  public boolean isLeased() {
    return started().heartbeats().leased();
  }

  /** Chunks that were damaged here and restored from other replicas since the start. */
  public long healedChunks() {
    return started().groups().healing().healed();
  }

  /** How far this host has caught up with what it missed, or what came of its last catch-up. */
  public Message.CatchUp catchUp() {
    return started().catchUps().progress();
  }

  /** Bytes of the data of writes that this host holds in memory. */
  public long writeMemoryHeld() {
    return started().memory().held();
  }

  /** Bytes of the data of writes that this host may hold in memory. */
  public long writeMemoryLimit() {
    return started().memory().limit();
  }

  /** Smallest orphan cursor of all live mount sessions; see {@code SessionTable}. */
  public long minimumOrphanCursor() {
    return started().duties().minimumOrphanCursor();
  }

  /** The way out for an operator when a host is gone for good. */
  public LossRecovery lossRecovery() {
    Running now = started();
    return new LossRecovery(
        now.cluster(), now.link(), clusterModule::view, now.heartbeats()::silence, time);
  }

  /** As {@link #openVolume(VolumeInfo, LongSupplier)}, of no mount. */
  public Volume openVolume(VolumeInfo volume) {
    return openVolume(volume, () -> SessionFence.NO_SESSION);
  }

  /** How long calls through this host wait before they fail. */
  public Duration patience() {
    return options.settings().timeout();
  }

  /**
   * A volume's chunks, as this host reaches them: its own replicas in-process.
   *
   * @param session the mount's, in which writes are made now; 0: of no mount
   */
  public Volume openVolume(VolumeInfo volume, LongSupplier session) {
    // The map follows the state log by itself; the pause between two attempts gives it the time.
    LongFunction<CompletableFuture<Void>> refresh = _ -> CompletableFuture.completedFuture(null);
    return started()
        .link()
        .volume(volume, options.settings().timeout(), time, timer, refresh, session);
  }

  /**
   * Sends the signs of life of a mount's session.
   *
   * @param openedNanos before it was opened
   * @return whether its lease is known to go on, so that nobody was given what it has
   */
  public BooleanSupplier keepSession(long session, long openedNanos, MountPulse mount) {
    return started().sessions().opened(session, openedNanos, mount);
  }

  /** What the cluster's mounts last said of themselves, by their sessions. */
  public Map<Long, MountReport> mounts() {
    return started().duties().mounts().all();
  }

  /**
   * Whether every host that serves is known to keep out the writes of sessions that were over in
   * this epoch's view. Known to the state log's leader.
   */
  public boolean isFenced(long epoch) {
    return started().heartbeats().isFenced(epoch);
  }

  public void dropSession(long session) {
    started().sessions().closed(session);
  }

  /** Completes when the disk failed; the host then serves nothing. */
  public CompletableFuture<TrefoilException> failed() {
    return failed.copy();
  }

  /**
   * Applies and syncs what is committed, then reads and checks every chunk of this host. May take
   * long.
   */
  public Fsck.Report fsck() {
    Running now = started();
    now.applier().barrier().join();
    return Fsck.run(now.store(), now.applier(), now.groups().slots());
  }

  private Running started() {
    Running now = running;
    if (now == null) {
      throw new TrefoilException(Reason.UNAVAILABLE, "this host has not started yet");
    }
    return now;
  }

  /** Stops in good order: the others take over at once, and do not wait until they miss it. */
  @Override
  public void close() {
    if (!closing.compareAndSet(false, true)) {
      return;
    }
    Running now = running;
    if (now != null && !fenced.get() && isUp(now.identity())) {
      leave(now);
    }
    closed.set(true);
    Timers.stop(heart);
    Timers.stop(ticker);
    Timers.stop(timer);
    server.close();
    if (now != null) {
      quietly("state log", now.ratis());
      Timers.stop(viewThread);
      quietly("applier", now.applier());
      if (!fenced.get()) {
        quietly("checkpoint", now.checkpoint()::run);
      }
      quietly("journal", now.journal());
      quietly("chunks", now.store());
    }
    transport.close();
    loops.close();
    Timers.stop(viewThread);
  }

  /** Waits no longer than it would take the others to miss this host. */
  private void leave(Running now) {
    LeaderDuties duties = now.duties();
    if (!duties.goesOnWithoutSelf()) {
      return;
    }
    try {
      duties.handOver().orTimeout(TRANSFER.toMillis(), TimeUnit.MILLISECONDS).join();
    } catch (RuntimeException e) {
      log.info("no other voter took the lead: {}", TrefoilException.of(e).getMessage());
    }
    now.heartbeats().stop();
    long deadline = time.nanoTime() + now.identity().detection().toNanos();
    while (isUp(now.identity()) && time.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(VIEW_LOOK_NANOS);
    }
  }

  private static void quietly(String what, Closeable part) {
    try {
      part.close();
    } catch (IOException | RuntimeException e) {
      log.warn("closing the {} failed", what, e);
    }
  }
}
