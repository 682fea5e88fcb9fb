package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.trefoilfs.mount.namespace.NamespaceModule;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.Fsck;
import org.trefoilfs.replication.host.Host;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.host.LossRecovery;
import org.trefoilfs.replication.host.MountPulse;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.LossPlan;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.HostReport;
import org.trefoilfs.replication.volume.Volume;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountNote;
import org.trefoilfs.tools.mount.MountSpec;

/** A {@link Host} with the namespace on its state log, as this module sees it. */
final class HostAdapter implements RunningHost, Member {
  private final Host host;
  private final Path data;
  private final VolumeAdministration volumes = new VolumeAdministration(this);
  private final Caretaker caretaker;
  private final SpoolAdoption adoption;

  private HostAdapter(Host host, Path data) {
    this.host = host;
    this.data = data;
    this.caretaker = new Caretaker(this, host);
    this.adoption = new SpoolAdoption(host, this, data);
  }

  static RunningHost start(HostOptions options, Library.AdminHandler admin) {
    Host host =
        Host.start(
            options,
            List.of(new NamespaceModule()),
            admin::handle,
            SpoolAdoption.left(options.data()));
    HostAdapter adapter = new HostAdapter(host, options.data());
    adapter.caretaker.start();
    adapter.adoption.start();
    return adapter;
  }

  @Override
  public Identity identity() {
    var identity = host.identity();
    return new Identity(identity.clusterId(), identity.host(), identity.name(), identity.address());
  }

  @Override
  public ClusterSnapshot snapshot() {
    return snapshot(host.view());
  }

  @Override
  public ClusterSnapshot latest() {
    return snapshot(volumes.latestView());
  }

  /** Out of touch with a majority, what this host knows of others is a memory, and left out. */
  private ClusterSnapshot snapshot(ClusterView view) {
    boolean leased = host.isLeased();
    Optional<HostId> leader = leased ? host.leader() : Optional.empty();
    Map<HostId, HostReport> reports = new HashMap<>(host.reports());
    if (!leased) {
      reports.keySet().retainAll(Set.of(host.identity().host()));
    }
    return new ClusterSnapshot(
        new ClusterSnapshot.Control(view.clusterId(), leader, host.voters()),
        List.copyOf(view.hosts().values()),
        List.copyOf(view.volumesById().values()),
        view.placement().groups(),
        reports,
        List.copyOf(view.losses().values()),
        List.copyOf(view.lostSpools().values()),
        new ClusterSnapshot.Mounts(List.copyOf(view.sessions().values()), host.mounts()));
  }

  @Override
  public VolumeUsage usage(VolumeInfo volume) {
    return volumes.usage(volume);
  }

  @Override
  public VolumeInfo createVolume(String name, int replicas, Promises promises) {
    return volumes.create(name, replicas, promises);
  }

  @Override
  public VolumeInfo setVolume(VolumeInfo volume, int replicas, Promises promises) {
    return volumes.set(volume, replicas, promises);
  }

  @Override
  public void deleteVolume(VolumeInfo volume) {
    volumes.delete(volume);
  }

  @Override
  public MountHandle mount(VolumeInfo volume, MountSpec spec) {
    return FuseMount.mount(parts(volume, spec));
  }

  @Override
  public Optional<MountHandle> resume(VolumeInfo volume, MountSpec spec) {
    List<Long> earlier =
        MountNote.left(data, spec.path()).map(MountNote::sessions).orElse(List.of());
    Optional<MountHandle> resumed = FuseMount.resume(parts(volume, spec), adoption::end);
    if (resumed.isEmpty()) {
      adoption.begin(earlier);
    }
    return resumed;
  }

  private MountParts parts(VolumeInfo volume, MountSpec spec) {
    Supplier<Capacity> capacity =
        () -> Capacities.of(host.view(), host.reports(), volume.replicas());
    return new MountParts(this, volume, spec, capacity);
  }

  @Override
  public byte[] ask(Address other, String verb, byte[] body, Duration timeout) {
    try {
      Message answer = host.transport().call(other, new Message.Admin(verb, body), timeout).join();
      if (answer instanceof Message.AdminReply(byte[] reply)) {
        return reply;
      }
      throw new TrefoilException(Reason.REFUSED, other + ": does not answer as a host");
    } catch (CompletionException e) {
      throw TrefoilException.of(e);
    }
  }

  @Override
  public FsckResult fsck() {
    Fsck.Report report = host.fsck();
    return new FsckResult(
        Math.toIntExact(report.groups()),
        report.chunks(),
        report.bytes(),
        Digests.text(report.digest()),
        report.damage());
  }

  @Override
  public List<LostSpoolFiles> keptLosses() {
    List<LostSpoolFiles> kept = new ArrayList<>();
    for (SpoolDirectory lost : SpoolDirectory.lostIn(data)) {
      lost.about()
          .ifPresent(
              about ->
                  kept.add(
                      new LostSpoolFiles(
                          lost.id(), about.volume(), about.mountPoint(), lost.read())));
    }
    return kept;
  }

  @Override
  public LossPlan surveyLoss() {
    return Waits.get(host.lossRecovery().survey());
  }

  @Override
  public LossRecovery.Outcome acceptLoss(String operator) {
    return Waits.get(host.lossRecovery().accept(operator));
  }

  @Override
  public LossRecovery.Silence silence(HostId other) {
    return host.lossRecovery().silence(other);
  }

  @Override
  public void setLeaving(HostId other, boolean leaving) {
    Waits.get(host.cluster().setHostState(other, leaving ? HostState.LEAVING : HostState.UP));
  }

  @Override
  public void removeHost(HostId other) {
    Waits.get(host.cluster().removeHost(other));
  }

  @Override
  public void close() {
    caretaker.close();
    host.close();
  }

  // ---- Member

  @Override
  public ClusterView view() {
    return host.view();
  }

  @Override
  public ClusterClient cluster() {
    return host.cluster();
  }

  @Override
  public StateLog stateLog() {
    return host.stateLog();
  }

  @Override
  public Duration patience() {
    return host.patience();
  }

  @Override
  public boolean isFull() {
    return Capacities.isFull(host.view(), host.reports());
  }

  @Override
  public String name() {
    return host.identity().name();
  }

  @Override
  public Optional<Path> data() {
    return Optional.of(data);
  }

  @Override
  public Volume openVolume(VolumeInfo volume, LongSupplier session) {
    return host.openVolume(volume, session);
  }

  @Override
  public BooleanSupplier keepSession(long session, long openedNanos, MountPulse mount) {
    return host.keepSession(session, openedNanos, mount);
  }

  @Override
  public void dropSession(long session) {
    host.dropSession(session);
  }
}
