package org.trefoilfs.replication.statelog.ratis;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.lease.ReadLeases;
import org.trefoilfs.replication.statelog.rocks.Applied;
import org.trefoilfs.replication.statelog.rocks.RocksState;
import org.trefoilfs.replication.statelog.rocks.StoreFailure;

/**
 * The modules under Ratis.
 *
 * <p>Two positions in the log are kept apart: the state's own, stored with it, and the one Ratis is
 * told. After a restart Ratis replays from the last snapshot, and what the state already contains
 * is passed over.
 */
final class RatisStateMachine extends BaseStateMachine {
  private static final Logger LOG = LoggerFactory.getLogger(RatisStateMachine.class);
  private static final Message PASSED_OVER = ReplyCodec.done(new byte[0]);

  private final RocksState state;
  private final Map<Byte, StateModule> modules;
  private final ReadLeases leases;
  private final Observer observer;
  private final SnapshotStore snapshots = new SnapshotStore();

  /** What the adapter learns from the state machine's callbacks. None may block. */
  interface Observer {
    /** The request goes into the log now: from here on it may be applied. */
    void appending(long callId);

    /**
     * This host's request is applied, and its changes can be seen.
     *
     * @param known when it may be answered: whoever leased what it changed has forgotten that
     */
    void applied(long callId, CompletableFuture<@Nullable Void> known);

    void leaderChanged(Optional<HostId> leader);

    void leaderReady();

    void leaderStopped();

    /** This replica cannot go on. */
    void failed(Throwable cause);

    void closed();
  }

  RatisStateMachine(
      RocksState state, Map<Byte, StateModule> modules, ReadLeases leases, Observer observer) {
    this.state = state;
    this.modules = modules;
    this.leases = leases;
    this.observer = observer;
  }

  @Override
  public void initialize(RaftServer server, RaftGroupId group, RaftStorage storage)
      throws IOException {
    super.initialize(server, group, storage);
    getLifeCycle().startAndTransition(() -> load(storage), IOException.class);
  }

  private void load(RaftStorage storage) throws IOException {
    snapshots.init(storage);
    openLatest();
  }

  @Override
  public void pause() {
    try {
      snapshots.syncReceived();
    } catch (IOException e) {
      throw fatal("a received snapshot cannot be made durable", e);
    }
    // The open database is not among the files that Ratis now replaces, so applying may go on.
    if (getLifeCycle().compareAndTransition(LifeCycle.State.RUNNING, LifeCycle.State.PAUSING)) {
      getLifeCycle().transition(LifeCycle.State.PAUSED);
    }
  }

  /** Called on the applying thread. */
  @Override
  public void reinitialize() throws IOException {
    snapshots.syncInstalled();
    snapshots.reload();
    getLifeCycle().startAndTransition(this::openLatest, IOException.class);
  }

  private void openLatest() {
    SnapshotInfo latest = snapshots.getLatestSnapshot();
    if (latest == null) {
      setLastAppliedTermIndex(TermIndex.INITIAL_VALUE);
    } else {
      if (latest.getIndex() > state.applied().index()) {
        LOG.info("state of {} is replaced by snapshot {}", state.applied(), latest.getTermIndex());
        state.replaceBy(snapshots.pathOf(latest.getTermIndex()));
      }
      setLastAppliedTermIndex(latest.getTermIndex());
    }
    for (StateModule module : modules.values()) {
      state.readApplied(module.id(), module::restored);
    }
  }

  @Override
  public TransactionContext preAppendTransaction(TransactionContext transaction) {
    observer.appending(transaction.getClientRequest().getCallId());
    return transaction;
  }

  @Override
  public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
    LogEntryProto entry = transaction.getLogEntry();
    Applied at = new Applied(entry.getTerm(), entry.getIndex());
    Message reply = PASSED_OVER;
    if (at.index() > state.applied().index()) {
      try {
        reply = apply(transaction, entry.getStateMachineLogEntry().getLogData(), at);
      } catch (RuntimeException | Error e) {
        throw fatal("log entry " + at + " cannot be applied", e);
      }
    }
    updateLastAppliedTermIndex(at.term(), at.index());
    return CompletableFuture.completedFuture(reply);
  }

  /**
   * The changes can be seen on return. Ratis must not wait for those who have leased what changed:
   * a read that comes meanwhile waits until this is answered, and what they report is one.
   */
  private Message apply(TransactionContext transaction, ByteString entry, Applied at) {
    StateModule module = module(entry.byteAt(0));
    byte[] command = entry.substring(1).toByteArray();
    List<CompletableFuture<@Nullable Void>> forgotten = new ArrayList<>(1);
    byte[] reply;
    try {
      reply =
          state.apply(
              module.id(),
              keys ->
                  module.apply(
                      new ChangeListener(keys, change -> forgotten.add(leases.changing(change))),
                      command),
              at);
    } catch (TrefoilException regular) {
      return ReplyCodec.failed(regular);
    }
    state.readApplied(module.id(), module::applied);
    RaftClientRequest request = transaction.getClientRequest();
    if (request != null && !forgotten.isEmpty()) {
      observer.applied(request.getCallId(), forgotten.getFirst());
    }
    return ReplyCodec.done(reply);
  }

  /**
   * A module's answer from the state as it is now.
   *
   * @param reads told what the answer depends on
   */
  byte[] query(byte module, byte[] query, LongConsumer reads) {
    StateModule target = module(module);
    try {
      return state.read(module, keys -> target.query(new ReadListener(keys, reads), query));
    } catch (StoreFailure e) {
      throw new TrefoilException(
          Reason.IO, e.getMessage() + "; check this host's disk, or ask another host", e);
    }
  }

  private StateModule module(byte id) {
    StateModule module = modules.get(id);
    if (module == null) {
      throw new IllegalStateException(
          "no state module " + id + " in this version; start the version that wrote the entry");
    }
    return module;
  }

  boolean hasModule(byte id) {
    return modules.containsKey(id);
  }

  @Override
  public long takeSnapshot() throws IOException {
    TermIndex at = getLastAppliedTermIndex();
    SnapshotInfo latest = snapshots.getLatestSnapshot();
    if (latest != null && latest.getIndex() >= at.getIndex()) {
      return latest.getIndex();
    }
    if (at.getIndex() < state.applied().index() || at.getIndex() < 0) {
      // Still passing over what the state contains: it is no state of this index.
      return RaftLog.INVALID_LOG_INDEX;
    }
    try {
      state.skipTo(new Applied(at.getTerm(), at.getIndex()));
      snapshots.create(at, state::checkpoint);
    } catch (StoreFailure e) {
      throw new IOException(e);
    }
    return at.getIndex();
  }

  @Override
  public SnapshotStore getStateMachineStorage() {
    return snapshots;
  }

  @Override
  public @Nullable SnapshotInfo getLatestSnapshot() {
    return snapshots.getLatestSnapshot();
  }

  @Override
  public void notifyLeaderChanged(RaftGroupMemberId self, @Nullable RaftPeerId leader) {
    observer.leaderChanged(Peers.host(leader));
  }

  @Override
  public void notifyLeaderReady() {
    observer.leaderReady();
  }

  @Override
  public void notifyNotLeader(Collection<TransactionContext> pending) {
    observer.leaderStopped();
  }

  @Override
  public void notifyLogFailed(Throwable cause, @Nullable LogEntryProto entry) {
    fatal("the log cannot be written", cause);
  }

  private IllegalStateException fatal(String what, Throwable cause) {
    LOG.error("state log stops on this host: {}", what, cause);
    observer.failed(cause);
    return new IllegalStateException(what, cause);
  }

  @Override
  public void close() {
    observer.closed();
    state.close();
  }
}
