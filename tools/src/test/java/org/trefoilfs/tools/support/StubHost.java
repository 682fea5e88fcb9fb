package org.trefoilfs.tools.support;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.host.LossRecovery;
import org.trefoilfs.replication.membership.AcceptedLoss;
import org.trefoilfs.replication.membership.AcceptedLoss.MissingHost;
import org.trefoilfs.replication.membership.AcceptedLoss.OpenedGroup;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.LossPlan;
import org.trefoilfs.replication.membership.LossPlan.Closed;
import org.trefoilfs.replication.membership.LossPlan.Way;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.netty.NettyServer;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.FsckResult;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.LostSpoolFiles;
import org.trefoilfs.tools.library.Promises;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.library.VolumeUsage;
import org.trefoilfs.tools.mount.MountFigures;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountSpec;

/**
 * A host with the real wire and nothing behind it: for tests of the shell around a host. Its
 * volumes are a list, its mounts show nothing.
 */
public final class StubHost implements RunningHost {
  /** Of what {@link #acceptLoss} records. */
  public static final long CHOICE = 0x1234;

  public static final String CLUSTER = "7d1f0c52-0000-4000-8000-000000000001";

  private final Identity identity;
  private final NettyServer server;
  private final List<VolumeInfo> volumes = new ArrayList<>();
  private final Map<HostId, HostInfo> hosts = new TreeMap<>();
  private boolean majority = true;
  private final List<Closed> closed = new ArrayList<>();
  private final List<AcceptedLoss> losses = new ArrayList<>();

  /** What this host has heard of: behind, until the latest is asked for. */
  private List<VolumeInfo> heard = List.of();

  public StubHost(HostOptions options, Library.AdminHandler admin) {
    server =
        NettyServer.start(
            options.listen().orElse(new Address("127.0.0.1", 0)),
            (request, reply) -> {
              Message.Admin asked = (Message.Admin) request;
              Thread.ofVirtual()
                  .start(
                      () ->
                          admin
                              .handle(asked.verb(), asked.body())
                              .whenComplete((body, failure) -> reply.send(answer(body, failure))));
            },
            () -> new LocalIdentity(CLUSTER, 1, 1),
            TransportOptions.DEFAULT);
    identity =
        new Identity(CLUSTER, new HostId(1), options.name().orElse("alone"), server.address());
    addHost(1, identity.name(), HostState.UP);
  }

  /** Another host, of which only the state log knows. */
  public synchronized void addHost(int number, String name, HostState state) {
    Address address =
        number == 1
            ? identity.address()
            : new Address("10.0.0." + number, HostOptions.DEFAULT_PORT);
    HostId id = new HostId(number);
    hosts.put(id, new HostInfo(id, name, address, address, false, 1, name, 1, state));
  }

  /** A group of three replicas, closed for want of some hosts, and what others hold of it. */
  public synchronized void closeGroup(
      int number, Way way, List<HostId> missing, Map<HostId, Version> held) {
    List<Member> members = new ArrayList<>();
    missing.forEach(host -> members.add(new Member(host, 1)));
    held.keySet().stream().sorted().forEach(host -> members.add(new Member(host, 1)));
    PgView group = new PgView(3 << 16 | number, 4, null, members, List.of());
    closed.add(new Closed(group, way, missing, held));
  }

  /** From here on the state log does not answer. */
  public synchronized void loseMajority() {
    majority = false;
  }

  @Override
  public synchronized LossPlan surveyLoss() {
    if (!majority) {
      throw new TrefoilException(Reason.UNAVAILABLE, "no leader was found in 30 s");
    }
    ClusterView empty = ClusterView.empty();
    Map<Integer, VolumeInfo> byId = new TreeMap<>();
    volumes.forEach(volume -> byId.put(volume.id(), volume));
    return new LossPlan(ClusterView.of(CLUSTER, hosts, byId, Map.of(), empty.placement()), closed);
  }

  @Override
  public synchronized LossRecovery.Outcome acceptLoss(String operator) {
    LossPlan plan = surveyLoss();
    List<OpenedGroup> opened =
        plan.openable().stream()
            .map(group -> new OpenedGroup(group.group().pg(), group.latest().getFirst()))
            .toList();
    List<MissingHost> missing =
        plan.missing().stream().map(host -> new MissingHost(host.id(), host.name())).toList();
    if (!opened.isEmpty()) {
      losses.add(new AcceptedLoss(CHOICE, 9, 1_700_000_000_000L, operator, missing, opened));
    }
    closed.removeAll(plan.openable());
    return new LossRecovery.Outcome(plan, CHOICE, opened.size(), 0);
  }

  @Override
  public LossRecovery.Silence silence(HostId other) {
    return new LossRecovery.Silence(Duration.ofSeconds(90), other.value() != 2);
  }

  @Override
  public synchronized void setLeaving(HostId other, boolean leaving) {
    HostState state = leaving ? HostState.LEAVING : HostState.UP;
    addHost(other.value(), hosts.get(other).name(), state);
  }

  @Override
  public synchronized void removeHost(HostId other) {
    hosts.remove(other);
  }

  private static Message answer(byte[] body, Throwable failure) {
    if (failure == null) {
      return new Message.AdminReply(body);
    }
    TrefoilException known = TrefoilException.of(failure);
    return new Message.Failed(known.reason(), String.valueOf(known.getMessage()), "");
  }

  @Override
  public Identity identity() {
    return identity;
  }

  @Override
  public synchronized ClusterSnapshot snapshot() {
    return new ClusterSnapshot(
        new ClusterSnapshot.Control(CLUSTER, Optional.of(identity.id()), Set.of(identity.id())),
        List.copyOf(hosts.values()),
        heard,
        closed.stream().map(Closed::group).toList(),
        Map.of(identity.id(), new Message.HostReport(true, 1 << 30, 1 << 29, Message.CatchUp.NONE)),
        losses,
        List.of(),
        ClusterSnapshot.Mounts.NONE);
  }

  @Override
  public synchronized ClusterSnapshot latest() {
    heard = List.copyOf(volumes);
    return snapshot();
  }

  @Override
  public List<LostSpoolFiles> keptLosses() {
    return List.of();
  }

  @Override
  public VolumeUsage usage(VolumeInfo volume) {
    return new VolumeUsage(1, 0);
  }

  @Override
  public synchronized VolumeInfo createVolume(String name, int replicas, Promises promises) {
    if (volumes.stream().anyMatch(volume -> volume.name().equals(name))) {
      throw new TrefoilException(Reason.EXISTS, "volume " + name + ": exists; choose another name");
    }
    int least =
        promises.minInSync() == 0 ? VolumeInfo.usualMinInSync(replicas) : promises.minInSync();
    VolumeInfo made =
        new VolumeInfo(
            volumes.size() + 1, name, replicas, least, promises.commit(), promises.rpo(), false);
    volumes.add(made);
    return made;
  }

  @Override
  public synchronized VolumeInfo setVolume(VolumeInfo volume, int replicas, Promises promises) {
    int least = promises.minInSync() == 0 ? volume.minInSync() : promises.minInSync();
    VolumeInfo changed =
        new VolumeInfo(
            volume.id(), volume.name(), replicas, least, promises.commit(), promises.rpo(), false);
    volumes.replaceAll(present -> present.id() == volume.id() ? changed : present);
    return changed;
  }

  @Override
  public synchronized void deleteVolume(VolumeInfo volume) {
    volumes.remove(volume);
  }

  @Override
  public java.util.Optional<MountHandle> resume(VolumeInfo volume, MountSpec spec) {
    return java.util.Optional.empty();
  }

  @Override
  public MountHandle mount(VolumeInfo volume, MountSpec spec) {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    return new MountHandle() {
      @Override
      public CompletableFuture<Void> ended() {
        return ended;
      }

      @Override
      public MountFigures figures() {
        return new MountFigures(0, 0, 0, Map.of());
      }

      @Override
      public void close() {
        ended.complete(null);
      }
    };
  }

  @Override
  public byte[] ask(Address host, String verb, byte[] body, Duration timeout) {
    throw new TrefoilException(Reason.UNAVAILABLE, host + ": there is no other host");
  }

  @Override
  public FsckResult fsck() {
    return new FsckResult(1, 2, 8192, "d1", List.of());
  }

  @Override
  public void close() {
    server.close();
  }
}
