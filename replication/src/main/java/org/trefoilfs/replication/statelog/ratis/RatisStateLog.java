package org.trefoilfs.replication.statelog.ratis;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.LeaderState;
import org.trefoilfs.replication.statelog.LocalStateLog;
import org.trefoilfs.replication.statelog.Members;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.lease.LeasedReply;
import org.trefoilfs.replication.statelog.lease.ReadLeases;
import org.trefoilfs.replication.statelog.rocks.RocksState;

/**
 * This host's replica of the state log: a Ratis server in this process, over Ratis' own Netty
 * transport, and the modules' state in RocksDB.
 *
 * <p>Futures complete on the applying thread: whoever continues on them must not block.
 */
public final class RatisStateLog implements LocalStateLog, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(RatisStateLog.class);
  private static final int TICK_MS = 25;

  private final RatisOptions options;
  private final RaftServer server;
  private final RaftServer.Division division;
  private final RatisStateMachine machine;
  private final RocksState state;
  private final Leadership leadership;
  private final Requests requests;
  private final ReadLeases leases;
  private final ScheduledExecutorService ticker;
  private final Membership membership;
  private final CompletableFuture<Throwable> failed = new CompletableFuture<>();
  private volatile boolean closed;

  /**
   * Starts the replica and returns when it listens; leadership comes later.
   *
   * @throws TrefoilException CORRUPT or IO when the directory cannot be used, INVALID when {@link
   *     RatisOptions.Start#RESTART} finds none
   */
  public static RatisStateLog start(RatisOptions options, List<StateModule> modules) {
    return start(options, modules, SystemTime.INSTANCE);
  }

  public static RatisStateLog start(
      RatisOptions options, List<StateModule> modules, TimeSource time) {
    Startup.checkDirectory(options);
    RocksState state = RocksState.open(options.directory().resolve("state"));
    try {
      return new RatisStateLog(options, state, Startup.byId(modules), time);
    } catch (IOException | RuntimeException e) {
      state.close();
      throw Startup.unstartable(options, e);
    }
  }

  private RatisStateLog(
      RatisOptions options, RocksState state, Map<Byte, StateModule> modules, TimeSource time)
      throws IOException {
    this.options = options;
    this.state = state;
    this.leadership = new Leadership(options.self(), time);
    this.leases = new ReadLeases(time);
    this.machine = new RatisStateMachine(state, modules, leases, new Callbacks());
    this.ticker =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("statelog-" + options.self() + "-leases").factory());
    RaftGroupId group = RaftGroupId.valueOf(options.cluster());
    this.server =
        RaftServer.newBuilder()
            .setServerId(Peers.id(options.self()))
            .setGroup(RaftGroup.valueOf(group, Startup.initialPeers(options)))
            .setProperties(Tuning.properties(options))
            .setStateMachine(machine)
            .setOption(RaftStorage.StartupOption.RECOVER)
            .build();
    try {
      this.division = server.getDivision(group);
      this.requests = new Requests(options, server, division);
      this.membership = new Membership(server, division, requests);
      server.start();
      Future<?> _ = ticker.scheduleAtFixedRate(leases::tick, TICK_MS, TICK_MS, MILLISECONDS);
    } catch (IOException | RuntimeException e) {
      ticker.shutdownNow();
      leadership.close();
      server.close();
      throw e;
    }
  }

  @Override
  public CompletableFuture<byte[]> submit(byte module, byte[] command) {
    TrefoilException refusal = refusal(module);
    return refusal != null
        ? CompletableFuture.failedFuture(refusal)
        : requests.submit(module, command);
  }

  @Override
  public CompletableFuture<byte[]> query(byte module, byte[] query) {
    TrefoilException refusal = refusal(module);
    return refusal != null
        ? CompletableFuture.failedFuture(refusal)
        : requests
            .readPoint()
            .thenCompose(_ -> read(module, query, 0, false))
            .thenApply(Read::reply);
  }

  @Override
  public CompletableFuture<LeasedReply> lease(
      byte module, byte[] query, long session, boolean wanted) {
    TrefoilException refusal = refusal(module);
    return refusal != null
        ? CompletableFuture.failedFuture(refusal)
        : requests
            .readPoint()
            .thenCompose(_ -> read(module, query, session, wanted))
            .thenApply(read -> new LeasedReply(read.reply, read.generation));
  }

  @Override
  public CompletableFuture<LeaseNews> keepLeases(LeaseReport report) {
    TrefoilException refusal = refusal();
    return refusal != null
        ? CompletableFuture.failedFuture(refusal)
        : requests.readPoint().thenCompose(_ -> leases.keep(report));
  }

  private record Read(byte[] reply, long generation) {}

  private CompletableFuture<Read> read(byte module, byte[] query, long session, boolean wanted) {
    long before = leases.changes();
    List<Long> read = new ArrayList<>(2);
    byte[] reply = machine.query(module, query, read::add);
    ReadLeases.Verdict verdict = leases.read(session, wanted, read, before);
    return verdict.clear().thenApply(_ -> new Read(reply, verdict.generation()));
  }

  /** Answers from this replica's own state, which may lag: no leader is asked. */
  public byte[] queryLocal(byte module, byte[] query) {
    checkModule(module);
    return machine.query(module, query, _ -> {});
  }

  @Override
  public boolean isLeader() {
    return !closed && !failed.isDone() && division.getInfo().isLeaderReady() && leases.isLeading();
  }

  @Override
  public Optional<HostId> leader() {
    return Peers.host(division.getInfo().getLeaderId());
  }

  /**
   * Completes when this host led at some moment after the call: at once under the leader's lease,
   * after a round of heartbeats otherwise. Fails with NOT_LEADER or UNAVAILABLE.
   */
  public CompletableFuture<Void> verifyLeadership() {
    TrefoilException refusal = refusal();
    return refusal != null ? CompletableFuture.failedFuture(refusal) : requests.readPoint();
  }

  /** Who leads, and since when. */
  public LeaderState leadership() {
    return leadership.current();
  }

  /** Tells the present state, then every change, in order, on a thread of its own. */
  public void onLeadershipChange(Consumer<LeaderState> listener) {
    leadership.listen(listener);
  }

  /** The members as this host's log has them. */
  public Members members() {
    return membership.members();
  }

  /**
   * Makes these the members, on the leader. New voters are added one by one, each after it has
   * caught up; a failure leaves the changes already made, which {@link #members} shows. A member's
   * address is not changed: remove it, then add it. This host itself must stay a voter: transfer
   * its leadership first. A removed member's log stops, see {@link #failed}.
   */
  public CompletableFuture<Void> setMembers(
      Map<HostId, Address> voters, Map<HostId, Address> listeners) {
    TrefoilException refusal = refusal();
    if (refusal != null) {
      return CompletableFuture.failedFuture(refusal);
    }
    TrefoilException impossible =
        Membership.impossible(options.self(), members(), voters, listeners);
    if (impossible != null) {
      return CompletableFuture.failedFuture(impossible);
    }
    return membership.change(new Members(voters, listeners));
  }

  /**
   * Hands leadership to another voter; fails, and goes on leading, when that one lags. Even then
   * the other may take it later; so mounts remember nothing until somebody leads anew.
   */
  public CompletableFuture<Void> transferLeadership(HostId to) {
    TrefoilException refusal = refusal();
    if (refusal != null) {
      return CompletableFuture.failedFuture(refusal);
    }
    // Nobody waits for an election time-out then: the silence that the next leader counts on is
    // kept here.
    leases.stopRenewing();
    return new CompletableFuture<@Nullable Void>()
        .completeOnTimeout(null, silence().toMillis(), MILLISECONDS)
        .thenCompose(_ -> membership.transfer(to));
  }

  private Duration silence() {
    return Tuning.silence(options.settings());
  }

  /** Takes a snapshot now, and drops the log that it replaces; the index it was taken at. */
  public CompletableFuture<Long> snapshot() {
    return membership.snapshot();
  }

  /** The oldest entry still in the log; those before it are only in snapshots. */
  long firstLogIndex() {
    return division.getRaftLog().getStartIndex();
  }

  /** Completes, with the cause, when this replica had to stop serving for good. */
  public CompletableFuture<Throwable> failed() {
    return failed.copy();
  }

  /** The stored state, for inspection. */
  public RocksState state() {
    return state;
  }

  private @Nullable TrefoilException refusal(byte module) {
    checkModule(module);
    return refusal();
  }

  private void checkModule(byte module) {
    if (!machine.hasModule(module)) {
      throw new TrefoilException(
          Reason.INVALID, "no state module " + module + "; the peer runs another version");
    }
  }

  private @Nullable TrefoilException refusal() {
    if (failed.isDone()) {
      return new TrefoilException(
          Reason.UNAVAILABLE,
          "the state log on "
              + options.self()
              + " stopped: "
              + failed.join()
              + "; see its log, remove the cause and restart the daemon");
    }
    if (closed) {
      return new TrefoilException(
          Reason.UNAVAILABLE, "the state log on " + options.self() + " is closed");
    }
    if (isLeader()) {
      return null;
    }
    return new TrefoilException(
        Reason.NOT_LEADER,
        options.self()
            + " does not lead the state log; "
            + leader().map(host -> "ask " + host).orElse("no leader is known, try again"));
  }

  @Override
  public void close() {
    closed = true;
    try {
      server.close();
    } catch (IOException e) {
      LOG.warn("state log of {} did not close cleanly", options.self(), e);
    } finally {
      ticker.shutdownNow();
      leadership.close();
      state.close();
    }
  }

  private final class Callbacks implements RatisStateMachine.Observer {
    @Override
    public void appending(long callId) {
      requests.appending(callId);
    }

    @Override
    public void applied(long callId, CompletableFuture<@Nullable Void> known) {
      requests.applied(callId, known);
    }

    @Override
    public void leaderChanged(Optional<HostId> leader) {
      changed(leadership.current().leading() && leader.equals(Optional.of(options.self())), leader);
    }

    @Override
    public void leaderReady() {
      // Who is alone needs nobody's vote, and may have led a moment ago.
      boolean alone = members().voters().size() == 1;
      leases.startLeading(division.getInfo().getCurrentTerm(), alone ? Duration.ZERO : silence());
      changed(true, Optional.of(options.self()));
    }

    @Override
    public void leaderStopped() {
      leases.stopLeading();
      changed(false, Optional.empty());
    }

    private void changed(boolean leading, Optional<HostId> leader) {
      long term = division == null ? 0 : division.getInfo().getCurrentTerm();
      leadership.change(leading, leader, term);
    }

    @Override
    public void failed(Throwable cause) {
      failed.complete(cause);
      leadership.change(false, Optional.empty(), leadership.current().term());
    }

    @Override
    public void closed() {
      if (!closed) {
        failed(new IllegalStateException("Ratis closed the log by itself"));
      }
    }
  }
}
