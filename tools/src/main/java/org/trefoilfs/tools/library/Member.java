package org.trefoilfs.tools.library;

import java.time.Duration;
import java.util.function.Supplier;
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

  Volume openVolume(VolumeInfo volume);

  /**
   * Sends the signs of life of a mount's session; {@code evicted} runs once if that is given up.
   */
  void keepSession(long session, Supplier<Long> orphanCursor, Runnable evicted);

  void dropSession(long session);
}
