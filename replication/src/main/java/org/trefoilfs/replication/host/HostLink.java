package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.volume.ReplicatedVolume;
import org.trefoilfs.replication.volume.Volume;

/**
 * From this process to any host: to its own without leaving the process, to others over the wire.
 */
final class HostLink implements Peers {
  private final Optional<HostId> self;
  private final Transport transport;
  private final Transport.Handler own;
  private final Supplier<ClusterView> view;
  private final Set<Address> seeds;

  /**
   * @param own serves requests to this process' own host
   */
  HostLink(
      HostId self,
      Transport transport,
      Transport.Handler own,
      Supplier<ClusterView> view,
      Collection<Address> seeds) {
    this.self = Optional.of(self);
    this.transport = transport;
    this.own = own;
    this.view = view;
    this.seeds = Set.copyOf(seeds);
  }

  /** For a process without a host. */
  HostLink(Transport transport, Supplier<ClusterView> view, Collection<Address> seeds) {
    this.self = Optional.empty();
    this.transport = transport;
    this.own = (_, _) -> {};
    this.view = view;
    this.seeds = Set.copyOf(seeds);
  }

  @Override
  public CompletableFuture<Message> call(HostId to, Message request, Duration timeout) {
    if (self.isPresent() && self.get().equals(to)) {
      return callOwn(request);
    }
    return address(to)
        .map(address -> transport.call(address, request, timeout))
        .orElseGet(
            () ->
                CompletableFuture.failedFuture(
                    new TrefoilException(Reason.UNAVAILABLE, to + " is not a host known here")));
  }

  private CompletableFuture<Message> callOwn(Message request) {
    CompletableFuture<Message> answered = new CompletableFuture<>();
    try {
      own.handle(
          request,
          answer -> {
            if (answer instanceof Message.Failed(Reason reason, String message, String _)) {
              answered.completeExceptionally(new TrefoilException(reason, message));
            } else {
              answered.complete(answer);
            }
          });
    } catch (TrefoilException e) {
      answered.completeExceptionally(e);
    }
    return answered;
  }

  /** Nobody waits for the answers of a host that is no longer up; another one has its place. */
  void viewChanged(ClusterView before, ClusterView now) {
    for (HostInfo host : before.hosts().values()) {
      boolean goesOn = now.isAlive(new PgView.Member(host.id(), host.incarnation()));
      if (host.isAlive() && !goesOn) {
        transport.abandon(host.address());
      }
    }
  }

  Optional<Address> address(HostId host) {
    return view.get().host(host).map(HostInfo::address);
  }

  /** All hosts; before the cluster is known, those that were named or remembered. */
  List<Address> addresses() {
    List<Address> known = view.get().hosts().values().stream().map(HostInfo::address).toList();
    return known.isEmpty() ? List.copyOf(seeds) : known;
  }

  /**
   * @param timeout how long a call waits for replicas
   * @param refresh asks for a map newer than an epoch
   * @param session in which writes are made now; 0: in none
   */
  Volume volume(
      VolumeInfo volume,
      Duration timeout,
      TimeSource time,
      ScheduledExecutorService timer,
      LongFunction<CompletableFuture<Void>> refresh,
      LongSupplier session) {
    VolumeCluster.Timing timing = new VolumeCluster.Timing(timeout, time, timer);
    return new ReplicatedVolume(
        volume.replicas(), new VolumeCluster(this, self, volume, view, timing, refresh), session);
  }
}
