package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.Client;
import org.trefoilfs.replication.host.MountPulse;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.volume.Volume;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.Hosts;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountSpec;

/** A {@link Client}: a process that mounts without being a host. */
final class ClientAdapter implements ClusterAccess, Member {
  /** A mount that a whole cluster's outage does not end: calls wait as long as a host's would. */
  private static final Duration FRESH = Duration.ofSeconds(2);

  private static final long INODES = 1L << 32;

  private final Client client;
  private final VolumeAdministration volumes = new VolumeAdministration(this);
  private Capacity known = new Capacity(0, 0, INODES, INODES);
  private long knownAt = System.nanoTime() - FRESH.toNanos();

  ClientAdapter(List<Address> anyOf, Duration timeout) {
    this.client = Client.connect(anyOf, timeout);
  }

  @Override
  public ClusterSnapshot snapshot() {
    return snapshot(client.view());
  }

  @Override
  public ClusterSnapshot latest() {
    return snapshot(volumes.latestView());
  }

  private static ClusterSnapshot snapshot(ClusterView view) {
    return new ClusterSnapshot(
        new ClusterSnapshot.Control(view.clusterId(), Optional.empty(), Set.of()),
        List.copyOf(view.hosts().values()),
        List.copyOf(view.volumesById().values()),
        view.placement().groups(),
        Map.of(),
        List.copyOf(view.losses().values()),
        List.copyOf(view.lostSpools().values()),
        ClusterSnapshot.Mounts.NONE);
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
    return FuseMount.mount(new MountParts(this, volume, spec, () -> capacity(volume)));
  }

  /** statfs(2) comes often; the hosts are asked now and then. */
  private synchronized Capacity capacity(VolumeInfo volume) {
    if (System.nanoTime() - knownAt > FRESH.toNanos()) {
      knownAt = System.nanoTime();
      try {
        known = ask(volume);
      } catch (TrefoilException old) {
        return known;
      }
    }
    return known;
  }

  private Capacity ask(VolumeInfo volume) {
    byte[] answer = client.admin(Verb.HOST_LIST.wire(), Json.bytes(new Nothing()));
    List<Capacities.Disk> disks = new ArrayList<>();
    for (HostLine host : Json.read(answer, Hosts.class).hosts()) {
      if (host.space().total() > 0) { // a witness has none
        disks.add(new Capacities.Disk(host.space().total(), host.space().usable(), 1));
      }
    }
    return Capacities.of(disks, volume.replicas());
  }

  @Override
  public byte[] ask(Address host, String verb, byte[] body, Duration timeout) {
    throw new TrefoilException(Reason.NOT_SUPPORTED, "a client asks no single host");
  }

  @Override
  public void close() {
    client.close();
  }

  // ---- Member

  @Override
  public ClusterView view() {
    return client.view();
  }

  @Override
  public ClusterClient cluster() {
    return client.cluster();
  }

  @Override
  public StateLog stateLog() {
    return client.stateLog();
  }

  /** Known to hosts alone; their reserves stand what mounts apart from them add. */
  @Override
  public Duration patience() {
    return client.patience();
  }

  @Override
  public boolean isFull() {
    return false;
  }

  @Override
  public String name() {
    String name = System.getenv("HOSTNAME");
    return name == null ? "process " + ProcessHandle.current().pid() : name;
  }

  /** A client has no directory of its own. */
  @Override
  public Optional<Path> data() {
    return Optional.empty();
  }

  @Override
  public Volume openVolume(VolumeInfo volume, LongSupplier session) {
    return client.openVolume(volume, session);
  }

  @Override
  public BooleanSupplier keepSession(long session, long openedNanos, MountPulse mount) {
    return client.keepSession(session, openedNanos, mount);
  }

  @Override
  public void dropSession(long session) {
    client.dropSession(session);
  }
}
