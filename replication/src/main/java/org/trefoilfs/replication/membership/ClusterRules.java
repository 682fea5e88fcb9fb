package org.trefoilfs.replication.membership;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.ClusterCommand.ChangeViews;
import org.trefoilfs.replication.membership.ClusterCommand.CloseSession;
import org.trefoilfs.replication.membership.ClusterCommand.CreateCluster;
import org.trefoilfs.replication.membership.ClusterCommand.CreatePool;
import org.trefoilfs.replication.membership.ClusterCommand.CreateVolume;
import org.trefoilfs.replication.membership.ClusterCommand.DeleteVolume;
import org.trefoilfs.replication.membership.ClusterCommand.EvictSession;
import org.trefoilfs.replication.membership.ClusterCommand.ForceReopen;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.ClusterCommand.RegisterHost;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.ClusterCommand.ReopenGroups;
import org.trefoilfs.replication.membership.ClusterCommand.SetHostState;
import org.trefoilfs.replication.membership.ClusterCommand.SetVolume;
import org.trefoilfs.replication.membership.ClusterCommand.VolumeGone;
import org.trefoilfs.replication.placement.Pools;

/** What each command means: a pure function from a state to the next and a reply. */
final class ClusterRules {
  /** A successful command that has nothing to say. */
  static final byte[] DONE = {};

  private ClusterRules() {}

  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  record Outcome(ClusterState state, byte[] reply) {}

  /**
   * @throws TrefoilException when the rules refuse the command; nothing has changed
   */
  static Outcome apply(ClusterState before, ClusterCommand command) {
    Draft draft = new Draft(before);
    if (draft.clusterId().isEmpty() && !(command instanceof CreateCluster)) {
      throw new TrefoilException(
          Reason.INVALID, "the cluster has not been created yet; start its first host");
    }
    byte[] reply = dispatch(draft, command);
    return new Outcome(draft.finish(), reply);
  }

  private static byte[] dispatch(Draft draft, ClusterCommand command) {
    return switch (command) {
      case CreateCluster c -> createCluster(draft, c);
      case RegisterHost c -> i32(HostRules.register(draft, c).value());
      case HostStarted c -> HostRules.started(draft, c);
      case HostsLost c -> HostRules.lost(draft, c.members(), c.asOf());
      case RemoveHost c -> HostRules.remove(draft, c);
      case SetHostState c -> HostRules.setState(draft, c);
      case ChangeViews c -> ChangeResult.encode(GroupRules.change(draft, c));
      case ReopenGroups c -> ChangeResult.encode(GroupRules.reopen(draft, c));
      case ForceReopen c -> ChangeResult.encode(LossRules.force(draft, c));
      case CreatePool c -> PoolRules.create(draft, c);
      case CreateVolume c -> i32(VolumeRules.create(draft, c));
      case SetVolume c -> VolumeRules.set(draft, c);
      case DeleteVolume c -> VolumeRules.delete(draft, c);
      case VolumeGone c -> VolumeRules.gone(draft, c);
      case OpenSession c -> VolumeRules.open(draft, c);
      case CloseSession c -> VolumeRules.close(draft, c);
      case EvictSession c -> VolumeRules.evict(draft, c);
    };
  }

  private static byte[] createCluster(Draft draft, CreateCluster command) {
    if (command.clusterId().isEmpty() || command.bits() < 0 || command.bits() > Pools.MAX_BITS) {
      throw new TrefoilException(
          Reason.INVALID,
          "a cluster needs an id, and 2^0 to 2^" + Pools.MAX_BITS + " groups in a pool");
    }
    if (command.detection().compareTo(ClusterView.MIN_DETECTION) < 0
        || command.detection().compareTo(ClusterView.MAX_DETECTION) > 0) {
      throw new TrefoilException(
          Reason.INVALID,
          "failures cannot be detected in %d ms; say --failure-detection, from %d ms to %d s"
              .formatted(
                  command.detection().toMillis(),
                  ClusterView.MIN_DETECTION.toMillis(),
                  ClusterView.MAX_DETECTION.toSeconds()));
    }
    if (draft.clusterId().isEmpty()) {
      draft.found(command);
    } else if (!draft.clusterId().equals(command.clusterId())) {
      throw new TrefoilException(
          Reason.EXISTS,
          "this state log is of cluster "
              + draft.clusterId()
              + " already; start cluster "
              + command.clusterId()
              + " in a data directory of its own");
    }
    return DONE;
  }

  private static byte[] i32(int value) {
    return new ByteWriter(16).i32(value).toBytes();
  }
}
