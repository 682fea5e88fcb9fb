package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.trefoilfs.replication.env.SystemRandom;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PlacementMap;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.volume.ReplicatedVolume;

/** The cluster as a volume of this process sees it. */
final class VolumeCluster implements ReplicatedVolume.Cluster {
  private final Peers peers;
  private final Optional<HostId> self;
  private final VolumeInfo volume;
  private final Supplier<ClusterView> view;
  private final Timing timing;
  private final LongFunction<CompletableFuture<Void>> refresh;
  private final long writer = SystemRandom.INSTANCE.nextLong();
  private final AtomicLong sequence = new AtomicLong();

  record Timing(Duration timeout, TimeSource time, ScheduledExecutorService timer) {}

  VolumeCluster(
      Peers peers,
      Optional<HostId> self,
      VolumeInfo volume,
      Supplier<ClusterView> view,
      Timing timing,
      LongFunction<CompletableFuture<Void>> refresh) {
    this.refresh = refresh;
    this.peers = peers;
    this.self = self;
    this.volume = volume;
    this.view = view;
    this.timing = timing;
  }

  @Override
  public PlacementMap placement() {
    return view.get().placement();
  }

  @Override
  public CompletableFuture<Void> refresh(long epoch) {
    return refresh.apply(epoch);
  }

  @Override
  public CompletableFuture<Message> call(HostId to, Message request, Duration timeout) {
    return peers.call(to, request, timeout);
  }

  @Override
  public Optional<HostId> self() {
    return self;
  }

  @Override
  public OperationId nextOperation() {
    return new OperationId(writer, sequence.incrementAndGet());
  }

  /** As it is set now: an operator may have changed it since the volume was opened. */
  @Override
  public int minInSync() {
    return view.get().volumesById().getOrDefault(volume.id(), volume).minInSync();
  }

  @Override
  public Duration timeout() {
    return timing.timeout();
  }

  @Override
  public Duration attempt() {
    return view.get().detection().dividedBy(2);
  }

  @Override
  public long nanoTime() {
    return timing.time().nanoTime();
  }

  @Override
  public CompletableFuture<Void> pause(Duration pause) {
    CompletableFuture<Void> over = new CompletableFuture<>();
    timing.timer().schedule(() -> over.complete(null), pause.toNanos(), TimeUnit.NANOSECONDS);
    return over;
  }
}
