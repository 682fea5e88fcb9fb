package org.trefoilfs.replication.membership;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.membership.ClusterCommand.Change;
import org.trefoilfs.replication.membership.ClusterCommand.ChangeViews;
import org.trefoilfs.replication.membership.ClusterCommand.CloseSession;
import org.trefoilfs.replication.membership.ClusterCommand.CreateCluster;
import org.trefoilfs.replication.membership.ClusterCommand.CreatePool;
import org.trefoilfs.replication.membership.ClusterCommand.CreateVolume;
import org.trefoilfs.replication.membership.ClusterCommand.DeleteVolume;
import org.trefoilfs.replication.membership.ClusterCommand.ForceReopen;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.ClusterCommand.RegisterHost;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.membership.ClusterCommand.ReopenGroups;
import org.trefoilfs.replication.membership.ClusterCommand.SetHostState;
import org.trefoilfs.replication.membership.ClusterCommand.SetVolume;
import org.trefoilfs.replication.membership.ClusterCommand.VolumeGone;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Placement;
import org.trefoilfs.replication.statelog.StateLog;

/**
 * The cluster's commands, typed. Futures fail as {@link StateLog#submit} says, and with the reasons
 * named at each {@link ClusterCommand}.
 */
public final class ClusterClient {
  private final StateLog log;

  public ClusterClient(StateLog log) {
    this.log = log;
  }

  public CompletableFuture<Void> createCluster(CreateCluster command) {
    return submit(command);
  }

  /** The host's number, new or as it was. */
  public CompletableFuture<HostId> registerHost(RegisterHost command) {
    return reply(command).thenApply(bytes -> new HostId(new ByteReader(bytes).i32()));
  }

  public CompletableFuture<Void> hostStarted(HostStarted command) {
    return submit(command);
  }

  public CompletableFuture<Void> removeHost(HostId host) {
    return submit(new RemoveHost(host));
  }

  public CompletableFuture<Void> setHostState(HostId host, HostState state) {
    return submit(new SetHostState(host, state));
  }

  /** What became of each change, in their order; at most {@link ClusterCommand#MAX_GROUPS}. */
  public CompletableFuture<List<ChangeResult>> changeViews(List<Change> changes) {
    return reply(new ChangeViews(changes)).thenApply(ChangeResult::decode);
  }

  public CompletableFuture<ChangeResult> changeView(long expectedView, PgView next) {
    return changeViews(List.of(new Change(expectedView, next))).thenApply(List::getFirst);
  }

  public CompletableFuture<List<ChangeResult>> reopenGroups(List<Reopen> groups) {
    return reply(new ReopenGroups(groups)).thenApply(ChangeResult::decode);
  }

  public CompletableFuture<List<ChangeResult>> forceReopen(ForceReopen command) {
    return reply(command).thenApply(ChangeResult::decode);
  }

  public CompletableFuture<Void> createPool(int replicas, List<PgView> groups) {
    return submit(new CreatePool(replicas, groups));
  }

  /** The volume's number. Its pool must exist; {@link #createVolume(ClusterView, CreateVolume)}. */
  public CompletableFuture<Integer> createVolume(CreateVolume command) {
    return reply(command).thenApply(bytes -> new ByteReader(bytes).i32());
  }

  /**
   * Creates the volume, and first its pool when the view has none, placed on the hosts that are up
   * in the view. INVALID when these are too few; STALE_VIEW when they changed meanwhile; EXISTS
   * when the name is taken.
   *
   * @param view the latest: a volume that is not in it, and that is there afterwards as the command
   *     wants it, is the command's
   */
  public CompletableFuture<Integer> createVolume(ClusterView view, CreateVolume command) {
    return placeAndCreate(view, command)
        .exceptionallyCompose(
            failure -> {
              TrefoilException why = TrefoilException.of(failure);
              return why.reason() == Reason.EXISTS && !view.volumes().containsKey(command.name())
                  ? latest(view).thenApply(now -> createdBefore(now, command, why))
                  : CompletableFuture.failedFuture(why);
            });
  }

  /**
   * The state log submits again what it does not know the outcome of: the first may have done it.
   */
  private static int createdBefore(ClusterView now, CreateVolume command, TrefoilException exists) {
    VolumeInfo found = now.volumes().get(command.name());
    if (found == null || !isAsWanted(found, command)) {
      throw exists;
    }
    return found.id();
  }

  private static boolean isAsWanted(VolumeInfo found, CreateVolume command) {
    return found.replicas() == command.replicas()
        && (command.minInSync() == 0 || found.minInSync() == command.minInSync())
        && found.commit() == command.commit()
        && found.rpo().equals(command.rpo());
  }

  private CompletableFuture<Integer> placeAndCreate(ClusterView view, CreateVolume command) {
    int replicas = command.replicas();
    boolean placeable = replicas >= 1 && replicas <= PoolRules.MAX_REPLICAS;
    if (!placeable || view.placement().group(replicas << 16).isPresent()) {
      return createVolume(command); // what is wrong, the rules say
    }
    Collection<HostInfo> hosts = view.hosts().values();
    long up = hosts.stream().filter(host -> Placement.isEligible(host) && host.isAlive()).count();
    if (up < replicas) {
      return CompletableFuture.failedFuture(VolumeRules.tooFewHosts(command.name(), replicas, up));
    }
    return createPool(replicas, Placement.initial(replicas, view.placement().bits(), hosts))
        .thenCompose(created -> createVolume(command));
  }

  public CompletableFuture<Void> setVolume(SetVolume command) {
    return submit(command);
  }

  public CompletableFuture<Void> deleteVolume(String name) {
    return submit(new DeleteVolume(name));
  }

  public CompletableFuture<Void> volumeGone(int id) {
    return submit(new VolumeGone(id));
  }

  public CompletableFuture<Void> openSession(OpenSession command) {
    return submit(command);
  }

  public CompletableFuture<Void> closeSession(long session) {
    return submit(new CloseSession(session));
  }

  /** The cluster with everything that was committed before the call: what is new since a view. */
  public CompletableFuture<ClusterView> latest(ClusterView known) {
    return log.query(ClusterModule.ID, ClusterModule.deltaQuery(known.epoch()))
        .thenApply(delta -> ClusterDelta.apply(known, delta));
  }

  /** Any command whose reply says nothing. */
  public CompletableFuture<Void> submit(ClusterCommand command) {
    return reply(command).thenApply(done -> null);
  }

  private CompletableFuture<byte[]> reply(ClusterCommand command) {
    return log.submit(ClusterModule.ID, command.encode());
  }
}
