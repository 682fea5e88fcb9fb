package org.trefoilfs.tools.observe;

import java.util.List;
import org.trefoilfs.tools.mount.MountFigures;
import org.trefoilfs.tools.status.StatusReport;

/**
 * A host and its cluster at one moment, as that host knows them.
 *
 * @param host its name
 * @param placement what each host holds
 * @param mounts of this host alone
 */
public record Observation(
    String host,
    String version,
    StatusReport status,
    List<Share> placement,
    List<Mount> mounts,
    ProcessFigures process) {
  /**
   * A host's share of the placement groups.
   *
   * @param primary groups whose writes it orders
   * @param inSync groups of which it holds every committed write, those included
   * @param joining groups that it still fetches
   */
  public record Share(String host, int primary, int inSync, int joining) {}

  public record Mount(String directory, String volume, MountFigures figures) {}
}
