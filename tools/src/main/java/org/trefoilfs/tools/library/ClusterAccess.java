package org.trefoilfs.tools.library;

import java.time.Duration;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountSpec;

/** A member's view of the cluster, and what can be changed in it. Thread-safe. */
public interface ClusterAccess extends AutoCloseable {
  /** As far as this member has followed, milliseconds behind the leader. Asks nobody. */
  ClusterSnapshot snapshot();

  /** With everything that was committed before the call. UNAVAILABLE without a majority. */
  ClusterSnapshot latest();

  /** Files and bytes of a volume. */
  VolumeUsage usage(VolumeInfo volume);

  /** EXISTS when the name is taken, INVALID when there are too few hosts for the replicas. */
  VolumeInfo createVolume(String name, int replicas, Promises promises);

  /** Changes what a volume promises. */
  VolumeInfo setVolume(VolumeInfo volume, int replicas, Promises promises);

  void deleteVolume(VolumeInfo volume);

  /** Mounts a volume in this process; returns once the mount point answers. */
  MountHandle mount(VolumeInfo volume, MountSpec spec);

  /** Sends an administrative verb to another host of the cluster. */
  byte[] ask(Address host, String verb, byte[] body, Duration timeout);

  @Override
  void close();
}
