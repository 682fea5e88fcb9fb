package org.trefoilfs.replication.host;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
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
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterModule;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.FailureDetector;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostLease;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.StateLogRouter;
import org.trefoilfs.replication.statelog.StateLogService;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.ratis.RatisOptions;
import org.trefoilfs.replication.statelog.ratis.RatisStateLog;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;
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

  /** How long a host waits to hear whether it joins its own cluster. */
  private static final Duration JOIN_CHECK = Duration.ofSeconds(2);

  /** Directory of the state log. */
  private static final String LOG = "log";

  private final HostOptions options;
  private final TimeSource time = SystemTime.INSTANCE;
  private final AdminHandler admin;
  private final ScheduledExecutorService timer;
  private final ScheduledExecutorService heart;
  private final ExecutorService viewThread;
  private final ClusterModule clusterModule = new ClusterModule();
  private final NettyTransport transport;
  private final NettyServer server;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final AtomicBoolean fenced = new AtomicBoolean();
  private final CompletableFuture<TrefoilException> failed = new CompletableFuture<>();
  private final CountDownLatch ready = new CountDownLatch(1);
  private volatile @Nullable Identity identity;

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
   * @throws TrefoilException BUSY (port taken), REFUSED (another cluster), EXISTS (name taken),
   *     UNAVAILABLE (nobody to join answers), CORRUPT, IO
   */
  public static Host start(HostOptions options, List<StateModule> modules, AdminHandler admin) {
    Host host = new Host(options, admin);
    try {
      host.run(modules);
      return host;
    } catch (RuntimeException | Error e) {
      host.close();
      throw e;
    }
  }

  private Host(HostOptions options, AdminHandler admin) {
    this.options = options;
    this.admin = admin;
    timer =
        Executors.newScheduledThreadPool(
            2, Thread.ofPlatform().name("trefoil-timer-", 0).daemon().factory());
    heart =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("trefoil-heart").daemon().factory());
    viewThread =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("trefoil-views").daemon().factory());
    createDirectory(options.data());
    Optional<Identity> known = Identity.load(options.data());
    known.ifPresent(this::checkOptions);
    Address listen = known.map(Identity::address).orElseGet(() -> Addresses.choose(options));
    Addresses.checkFree(listen);
    Supplier<LocalIdentity> local = this::localIdentity;
    transport = new NettyTransport(local, TransportOptions.DEFAULT);
    server = NettyServer.start(listen, this::handle, local, TransportOptions.DEFAULT);
  }

  private void run(List<StateModule> modules) {
    Optional<Identity> known = Identity.load(options.data());
    Address listen = known.map(Identity::address).orElseGet(server::address);
    Set<Address> seeds = new LinkedHashSet<>(KnownHosts.load(options.data()));
    options.join().ifPresent(seeds::add);
    boolean founding = known.isEmpty() && options.join().isEmpty();
    Identity self = known.map(Identity::nextIncarnation).orElseGet(() -> introduce(listen, seeds));
    HostOptions.checkPatience(options.settings().timeout(), self.detection());
    identity = self;
    if (known.isPresent()) {
      options.join().ifPresent(to -> checkSameCluster(self, to));
    }
    self.save(options.data());
    Running started = assemble(self, modules, seeds, startMode(known, seeds, founding));
    running = started;
    clusterModule.listen(view -> viewThread.execute(this::viewChanged));
    if (clusterModule.view().clusterId().isEmpty()
        && self.host().value() == 1
        && options.join().isEmpty()) {
      found(started);
    }
    ready.countDown();
    startTimers(started);
    awaitServing(started);
    log.info(
        "host {} ({}) of cluster {} serves on {}",
        self.name(),
        self.host(),
        self.clusterId(),
        self.address());
  }

  /**
   * A host whose state log is gone, although others are known to it, joins again. The first host of
   * a cluster that got no further than naming itself founds it again.
   */
  private RatisOptions.Start startMode(
      Optional<Identity> known, Set<Address> seeds, boolean founding) {
    if (known.isPresent() && Files.isDirectory(options.data().resolve(LOG))) {
      return RatisOptions.Start.RESTART;
    }
    boolean foundingAgain = known.isPresent() && known.get().host().value() == 1 && seeds.isEmpty();
    return founding || foundingAgain ? RatisOptions.Start.BOOTSTRAP : RatisOptions.Start.JOIN;
  }

  /** A new cluster's first host names itself; any other asks the cluster for its number. */
  private Identity introduce(Address listen, Set<Address> seeds) {
    String name = options.name().orElseGet(Names::ofThisMachine);
    boolean witness = options.settings().witness();
    if (options.join().isEmpty()) {
      Duration detection = options.settings().detection().orElse(ClusterView.DEFAULT_DETECTION);
      return new Identity(
          UUID.randomUUID().toString(), new HostId(1), name, listen, witness, detection, 1);
    }
    JoinRequest request =
        new JoinRequest(
            name,
            listen,
            witness,
            options.settings().weight(),
            options.settings().domain().orElse(name),
            options.settings().detection());
    JoinRequest.Accepted accepted =
        request.send(transport, options.join().get(), options.settings().timeout(), time);
    seeds.addAll(accepted.hosts());
    return new Identity(
        accepted.clusterId(), accepted.host(), name, listen, witness, accepted.detection(), 1);
  }

  /**
   * A directory that has a cluster already stays in it: --join then says where that one is, and
   * must not say anything else. Nobody may answer: the whole cluster may be starting.
   */
  private void checkSameCluster(Identity self, Address to) {
    try {
      transport.call(to, new Message.MapRequest(0), JOIN_CHECK).join();
    } catch (RuntimeException e) {
      TrefoilException why = TrefoilException.of(e);
      if (why.reason() == Reason.REFUSED) {
        throw new TrefoilException(
            Reason.REFUSED,
            "data directory "
                + options.data()
                + " belongs to cluster "
                + self.clusterId()
                + ", and "
                + to
                + " to another cluster; leave out --join to go on in its own, or join with an"
                + " empty --data",
            why);
      }
      log.debug("{} does not say which cluster it belongs to: {}", to, why.getMessage());
    }
  }

  private Running assemble(
      Identity self, List<StateModule> modules, Set<Address> seeds, RatisOptions.Start start) {
    Path data = options.data();
    Duration detection = self.detection();
    FileChunkStore store = FileChunkStore.open(data.resolve("chunks"));
    HostNode node = new HostNode(self, time, clusterModule::view, detection);
    GroupHost groups = new GroupHost(node);
    Recovery recovery = new Recovery(store, groups.recent());
    JournalOptions journalOptions =
        JournalOptions.forDisk(store.space().total(), SystemRandom.INSTANCE);
    SegmentedJournal journal =
        SegmentedJournal.open(data.resolve("journal"), journalOptions, recovery::replay);
    Applier applier =
        new Applier(journal, store, groups::journalCommitted, groups::damaged, this::fail);
    DiskRoom room = new DiskRoom(store, journal, journalOptions, applier);
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
    HostLink link = new HostLink(self.host(), transport, this::handle, clusterModule::view, seeds);
    StateLogRouter router =
        new StateLogRouter(
            Optional.of(ratis),
            transport,
            new StateLogRouter.Hosts(link::addresses, link::address),
            new StateLogRouter.Timing(
                options.settings().timeout(), StateLogRouter.Timing.DEFAULT_ATTEMPT, time, timer));
    ClusterClient cluster = new ClusterClient(router);
    Proposals proposals = new Proposals(cluster);
    CatchUps catchUps = new CatchUps(groups, node);
    Heartbeats heartbeats =
        new Heartbeats(
            new Heartbeats.Wiring(
                self.host(),
                self.incarnation(),
                time,
                transport,
                ratis,
                clusterModule::view,
                () -> ownHeartbeat(self, room, catchUps),
                fenced::get,
                new HostLease(detection),
                detector,
                detection,
                seeds));
    node.wire(
        new HostNode.Parts(
            journal, store, applier, heartbeats, link, proposals, catchUps, room, this::fail));
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
    Sessions sessions = new Sessions(transport, link::addresses);
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

  private static Message.Heartbeat ownHeartbeat(Identity self, DiskRoom room, CatchUps catchUps) {
    Space space = self.witness() ? new Space(0, 0) : room.space();
    return new Message.Heartbeat(
        self.host(), self.incarnation(), space.total(), space.usable(), catchUps.progress());
  }

  /** Enters the first host of a new cluster into its own state log. */
  private void found(Running started) {
    Identity self = started.identity();
    HostOptions.Settings settings = options.settings();
    await(
        started
            .cluster()
            .createCluster(
                new ClusterCommand.CreateCluster(
                    self.clusterId(), ClusterView.DEFAULT_BITS, self.detection()))
            .thenCompose(
                _ ->
                    started
                        .cluster()
                        .registerHost(
                            new ClusterCommand.RegisterHost(
                                self.name(),
                                self.address(),
                                self.raftAddress(),
                                self.witness(),
                                settings.weight(),
                                settings.domain().orElse(self.name())))),
        "creating the cluster");
  }

  private void startTimers(Running started) {
    long beat = started.identity().detection().toMillis() / 8;
    heart.scheduleAtFixedRate(guarded(started.heartbeats()::beat), 0, beat, TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(
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
      java.util.concurrent.locks.LockSupport.parkNanos(5_000_000L);
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
      now.heartbeats().viewChanged();
    }
  }

  private void handle(Message request, Transport.Reply reply) {
    Running now = ready.getCount() == 0 ? running : null;
    if (now == null || closed.get()) {
      throw new TrefoilException(
          Reason.UNAVAILABLE, "this host is starting or stopping; ask again");
    }
    switch (request) {
      case Message.Heartbeat heartbeat ->
          now.heartbeats()
              .received(heartbeat)
              .whenComplete((answer, failure) -> GroupHost.answer(reply, answer, failure));
      case Message.StateSubmit _, Message.StateQuery _ ->
          new StateLogService(now.ratis(), now.link()::address).handle(request, reply);
      case Message.MapRequest map ->
          reply.send(new Message.MapReply(clusterModule.deltaSince(map.epoch())));
      case Message.SessionPing ping -> now.duties().pinged(ping, reply);
      case Message.Admin(String verb, byte[] body) ->
          Thread.startVirtualThread(() -> administer(now, verb, body, reply));
      default -> {
        if (fenced.get()) {
          throw new TrefoilException(
              Reason.IO, "this host's disk has failed; it serves nothing until it is replaced");
        }
        now.groups().handle(request, reply);
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
    answer
        .<Message>thenApply(Message.AdminReply::new)
        .whenComplete((done, failure) -> GroupHost.answer(reply, done, failure));
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

  private void checkOptions(Identity known) {
    String directory =
        "data directory "
            + options.data()
            + " belongs to host '"
            + known.name()
            + "' on "
            + known.address();
    options
        .listen()
        .filter(listen -> listen.port() != 0 && !listen.equals(known.address()))
        .ifPresent(
            listen -> {
              throw new TrefoilException(
                  Reason.INVALID,
                  directory
                      + ", not on "
                      + listen
                      + "; leave out --listen, or start with another --data");
            });
    options
        .name()
        .filter(name -> !name.equals(known.name()))
        .ifPresent(
            name -> {
              throw new TrefoilException(
                  Reason.INVALID,
                  directory
                      + ", not to '"
                      + name
                      + "'; leave out --name, or start with another --data");
            });
    options
        .settings()
        .detection()
        .filter(detection -> !detection.equals(known.detection()))
        .ifPresent(
            detection -> {
              throw new TrefoilException(
                  Reason.INVALID,
                  directory
                      + ", whose cluster detects failures in "
                      + known.detection().toMillis()
                      + " ms, not in "
                      + detection.toMillis()
                      + " ms; leave out --failure-detection: it is set when a cluster is founded");
            });
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
    return started().ratis().members().voters().keySet();
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
    return started().groups().healed();
  }

  /** How far this host has caught up with what it missed. */
  public Message.CatchUp catchUp() {
    return started().catchUps().progress();
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

  /** A volume's chunks, as this host reaches them: its own replicas in-process. */
  public Volume openVolume(VolumeInfo volume) {
    // The map follows the state log by itself; the pause between two attempts gives it the time.
    LongFunction<CompletableFuture<Void>> refresh = _ -> CompletableFuture.completedFuture(null);
    return started().link().volume(volume, options.settings().timeout(), time, timer, refresh);
  }

  /**
   * Sends the signs of life of a mount's session. {@code evicted} runs once, when the cluster gave
   * the session up.
   */
  public void keepSession(long session, Supplier<Long> orphanCursor, Runnable evicted) {
    started().sessions().opened(session, orphanCursor, evicted);
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
    return Fsck.run(now.store(), now.applier(), now.groups());
  }

  private Running started() {
    Running now = running;
    if (now == null) {
      throw new TrefoilException(Reason.UNAVAILABLE, "this host has not started yet");
    }
    return now;
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    heart.shutdownNow();
    timer.shutdownNow();
    server.close();
    Running now = running;
    if (now != null) {
      quietly("state log", now.ratis());
      quietly("applier", now.applier());
      if (!fenced.get()) {
        quietly("checkpoint", now.checkpoint()::run);
      }
      quietly("journal", now.journal());
      quietly("chunks", now.store());
    }
    transport.close();
    viewThread.shutdownNow();
  }

  private static void quietly(String what, Closeable part) {
    try {
      part.close();
    } catch (IOException | RuntimeException e) {
      log.warn("closing the {} failed", what, e);
    }
  }

  private static <T> T await(CompletableFuture<T> future, String what) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw TrefoilException.of(e);
    } catch (TimeoutException e) {
      throw new TrefoilException(Reason.UNAVAILABLE, what + " took longer than 30 s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(Reason.UNAVAILABLE, what + " was interrupted", e);
    }
  }
}
