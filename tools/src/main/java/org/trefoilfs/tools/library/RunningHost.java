package org.trefoilfs.tools.library;

import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;

/** A host that runs in this process. */
public interface RunningHost extends ClusterAccess {
  Identity identity();

  /** Reads everything that this host stores, and compares it with the other replicas. */
  FsckResult fsck();

  /**
   * Who this host is.
   *
   * @param address where it is listening
   */
  record Identity(String clusterId, HostId id, String name, Address address) {}
}
