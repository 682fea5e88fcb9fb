package org.trefoilfs.tools.library;

import java.util.List;
import org.trefoilfs.replication.host.LossRecovery;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.LossPlan;

/** A host that runs in this process. */
public interface RunningHost extends ClusterAccess {
  Identity identity();

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
