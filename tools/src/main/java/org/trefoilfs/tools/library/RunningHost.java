package org.trefoilfs.tools.library;

import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.host.LossRecovery;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.LossPlan;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountSpec;

/** A host that runs in this process. */
public interface RunningHost extends ClusterAccess {
  Identity identity();

  /**
   * Serves on the mount that an earlier process of this host has left at the directory, with its
   * open files; empty when there is none that can be served on.
   */
  Optional<MountHandle> resume(VolumeInfo volume, MountSpec spec);

  /** Reads everything that this host stores, and compares it with the other replicas. */
  FsckResult fsck();

  /** Spools of evicted mounts that this host keeps for export. */
  List<LostSpoolFiles> keptLosses();

  /** What closed groups wait for, and what others hold of them. UNAVAILABLE without a majority. */
  LossPlan surveyLoss();

  /** Opens what can be opened without the hosts that are missing, and has it recorded. */
  LossRecovery.Outcome acceptLoss(String operator);

  /** How long this host has heard nothing of another. */
  LossRecovery.Silence silence(HostId other);

  /** Empties another host, or lets it stay after all. */
  void setLeaving(HostId other, boolean leaving);

  /** BUSY while it holds groups. */
  void removeHost(HostId other);

  /**
   * Who this host is.
   *
   * @param address where it is listening
   */
  record Identity(String clusterId, HostId id, String name, Address address) {}
}
