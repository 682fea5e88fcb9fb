package org.trefoilfs.tools.support;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.netty.NettyServer;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.FsckResult;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.RunningHost;
import org.trefoilfs.tools.library.VolumeUsage;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountSpec;

/**
 * A host with the real wire and nothing behind it: for tests of the shell around a host. Its
 * volumes are a list, its mounts show nothing.
 */
public final class StubHost implements RunningHost {
  public static final String CLUSTER = "7d1f0c52-0000-4000-8000-000000000001";

  private final Identity identity;
  private final NettyServer server;
  private final List<VolumeInfo> volumes = new ArrayList<>();

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
    HostInfo self =
        new HostInfo(
            identity.id(),
            identity.name(),
            identity.address(),
            identity.address(),
            false,
            1,
            identity.name(),
            1,
            HostState.UP);
    return new ClusterSnapshot(
        new ClusterSnapshot.Control(CLUSTER, Optional.of(identity.id()), Set.of(identity.id())),
        List.of(self),
        heard,
        List.of(),
        Map.of(
            identity.id(), new Message.HostReport(true, 1 << 30, 1 << 29, Message.CatchUp.NONE)));
  }

  @Override
  public synchronized ClusterSnapshot latest() {
    heard = List.copyOf(volumes);
    return snapshot();
  }

  @Override
  public VolumeUsage usage(VolumeInfo volume) {
    return new VolumeUsage(1, 0);
  }

  @Override
  public synchronized VolumeInfo createVolume(String name, int replicas, CommitMode commit) {
    if (volumes.stream().anyMatch(volume -> volume.name().equals(name))) {
      throw new TrefoilException(Reason.EXISTS, "volume " + name + ": exists; choose another name");
    }
    VolumeInfo made = new VolumeInfo(volumes.size() + 1, name, replicas, commit, false);
    volumes.add(made);
    return made;
  }

  @Override
  public synchronized VolumeInfo setVolume(VolumeInfo volume, int replicas, CommitMode commit) {
    VolumeInfo changed = new VolumeInfo(volume.id(), volume.name(), replicas, commit, false);
    volumes.replaceAll(present -> present.id() == volume.id() ? changed : present);
    return changed;
  }

  @Override
  public synchronized void deleteVolume(VolumeInfo volume) {
    volumes.remove(volume);
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
