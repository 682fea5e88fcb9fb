package org.trefoilfs.tools.status;

import java.util.List;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.LostLine;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.recover.LossHistory;

/**
 * The answer to {@code status}: what {@code trefoil status --json} prints.
 *
 * @param activity what is being repaired, or could not be
 * @param warnings sentences for an operator
 */
public record StatusReport(
    Summary cluster,
    List<HostLine> hosts,
    List<VolumeLine> volumes,
    Activity activity,
    List<String> warnings) {
  /**
   * @param inSync every host is up and every placement group has all its replicas
   */
  public record Summary(String id, boolean inSync, Groups groups) {}

  /**
   * Placement groups by state: with all replicas, open with fewer, and those that serve no writes.
   */
  public record Groups(int total, int inSync, int degraded, int unavailable) {}

  /**
   * @param rpo what mounts that commit asynchronously would lose if they died now
   * @param lost what evicted mounts have lost, the oldest first
   * @param acceptedLosses what operators gave up, the oldest first
   */
  public record Activity(
      List<CatchingUp> catchingUp,
      List<MountLine> mounts,
      List<Rpo> rpo,
      List<LostLine> lost,
      List<LossHistory.Line> acceptedLosses) {}

  /**
   * What a mount has acknowledged and the replicas do not hold: lost if its host died now.
   *
   * @param seconds since the oldest of it was acknowledged
   * @param worstSeconds longest that a write has waited for the replicas since the mount began
   * @param worstBytes most that has waited
   * @param boundSeconds at which writers are slowed
   * @param slowedSeconds how long they were, all together
   * @param heardSecondsAgo how old this word of the mount's is
   */
  public record Rpo(
      String volume,
      String mount,
      double seconds,
      long bytes,
      double worstSeconds,
      long worstBytes,
      double boundSeconds,
      long boundBytes,
      double slowedSeconds,
      double heardSecondsAgo) {}

  /**
   * A host that fetches what it missed.
   *
   * @param etaSeconds at the present rate; -1 when unknown
   */
  public record CatchingUp(
      String host, int groupsLeft, long bytesLeft, long bytesPerSecond, long etaSeconds) {}
}
