package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.trefoilfs.replication.host.MountPulse;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.volume.Volume;

/** What a host and a mere client of a cluster have in common. */
interface Member {
  ClusterView view();

  ClusterClient cluster();

  StateLog stateLog();

  /** How long a call waits for the cluster before it fails. */
  Duration patience();

  /** Whether a host has no room for anything new. Never asks anybody. */
  boolean isFull();

  /** Which machine this is, for operators. */
  String name();

  /** Where mounts keep their spools; empty: in memory. */
  Optional<Path> data();

  /**
   * @param session the mount's, in which writes are made now; 0: of no mount
   */
  Volume openVolume(VolumeInfo volume, LongSupplier session);

  /**
   * Sends the signs of life of a mount's session.
   *
   * @param openedNanos before it was opened
   * @return whether its lease is known to go on
   */
  BooleanSupplier keepSession(long session, long openedNanos, MountPulse mount);

  void dropSession(long session);
}
