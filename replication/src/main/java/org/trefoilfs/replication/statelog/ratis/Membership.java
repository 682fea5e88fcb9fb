package org.trefoilfs.replication.statelog.ratis;

import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.Members;

/** Who is in the group: changed step by step, each step one that Ratis takes safely. */
final class Membership {
  /** A member that lags further than a new leader may cannot take over. */
  private static final long TRANSFER_TIMEOUT_MS = 5_000;

  private static final long SNAPSHOT_TIMEOUT_MS = 60_000;

  private final RaftServer server;
  private final RaftServer.Division division;
  private final RaftGroupId group;
  private final Requests requests;

  Membership(RaftServer server, RaftServer.Division division, Requests requests) {
    this.server = server;
    this.division = division;
    this.group = division.getGroup().getGroupId();
    this.requests = requests;
  }

  Members members() {
    RaftConfiguration conf = division.getRaftConf();
    Collection<RaftPeer> listeners = conf.getCurrentPeers(RaftPeerRole.LISTENER);
    return new Members(Peers.hosts(conf.getCurrentPeers()), Peers.hosts(listeners));
  }

  CompletableFuture<Void> change(Members target) {
    Members current = members();
    Members next = nextStep(current, target);
    if (sameHosts(next, current)) {
      return CompletableFuture.completedFuture(null);
    }
    return configure(next)
        .thenCompose(
            done ->
                sameHosts(next, target) ? CompletableFuture.completedFuture(null) : change(target));
  }

  /**
   * One step on the way. A voter is added alone, because Ratis refuses a change that could leave a
   * majority of newcomers. A listener that is to vote is removed first and then added: promoted
   * directly, Ratis leaves it in a starting state in which it never answers a request for its vote.
   */
  static Members nextStep(Members current, Members target) {
    Map<HostId, Address> listeners = new HashMap<>(current.listeners());
    if (listeners.keySet().removeAll(target.voters().keySet())) {
      return new Members(current.voters(), listeners);
    }
    for (Map.Entry<HostId, Address> voter : new TreeMap<>(target.voters()).entrySet()) {
      if (!current.voters().containsKey(voter.getKey())) {
        Map<HostId, Address> voters = new HashMap<>(current.voters());
        voters.put(voter.getKey(), voter.getValue());
        return new Members(voters, listeners);
      }
    }
    return target;
  }

  /** Why a leader cannot make this change; null when it can. */
  static @Nullable TrefoilException impossible(
      HostId leader, Members current, Map<HostId, Address> voters, Map<HostId, Address> listeners) {
    if (!voters.containsKey(leader)) {
      return new TrefoilException(
          Reason.INVALID,
          leader + " leads and cannot remove itself; transfer its leadership first");
    }
    for (HostId host : listeners.keySet()) {
      if (voters.containsKey(host) || current.voters().containsKey(host)) {
        // Ratis leaves such a member in the role of a voter, standing for election for ever.
        return new TrefoilException(
            Reason.INVALID,
            host + " votes and cannot become a listener; remove it and let it join anew");
      }
    }
    return null;
  }

  private static boolean sameHosts(Members a, Members b) {
    return a.voters().keySet().equals(b.voters().keySet())
        && a.listeners().keySet().equals(b.listeners().keySet());
  }

  private CompletableFuture<Void> configure(Members next) {
    SetConfigurationRequest.Arguments arguments =
        SetConfigurationRequest.Arguments.newBuilder()
            .setServersInNewConf(Peers.peers(next.voters(), RaftPeerRole.FOLLOWER))
            .setListenersInNewConf(Peers.peers(next.listeners(), RaftPeerRole.LISTENER))
            .build();
    SetConfigurationRequest request =
        new SetConfigurationRequest(
            requests.client(), server.getId(), group, requests.newCall(), arguments);
    return answered(
            "the change of state log members to " + next,
            () -> server.setConfigurationAsync(request))
        .thenAccept(reply -> {});
  }

  CompletableFuture<Void> transfer(HostId to) {
    TransferLeadershipRequest request =
        new TransferLeadershipRequest(
            requests.client(),
            server.getId(),
            group,
            requests.newCall(),
            Peers.id(to),
            TRANSFER_TIMEOUT_MS);
    return answered(
            "the transfer of leadership to " + to, () -> server.transferLeadershipAsync(request))
        .thenAccept(reply -> {});
  }

  CompletableFuture<Long> snapshot() {
    SnapshotManagementRequest request =
        SnapshotManagementRequest.newCreate(
            requests.client(), server.getId(), group, requests.newCall(), SNAPSHOT_TIMEOUT_MS, 1);
    return answered("a snapshot", () -> server.snapshotManagementAsync(request))
        .thenApply(RaftClientReply::getLogIndex);
  }

  private interface Call {
    CompletableFuture<RaftClientReply> send() throws IOException;
  }

  private static CompletableFuture<RaftClientReply> answered(String what, Call call) {
    CompletableFuture<RaftClientReply> sent;
    try {
      sent = call.send();
    } catch (IOException | RuntimeException e) {
      sent = CompletableFuture.failedFuture(e);
    }
    // Ratis completes these holding the lock that the next step needs on another thread.
    return sent.handleAsync(
        (reply, thrown) -> {
          Throwable failure = Failures.of(reply, thrown);
          if (failure != null) {
            throw new TrefoilException(
                Reason.UNAVAILABLE,
                what
                    + " did not succeed: "
                    + failure.getMessage()
                    + "; check that those hosts run and reach each other, and try again",
                failure);
          }
          return reply;
        },
        Thread::startVirtualThread);
  }
}
