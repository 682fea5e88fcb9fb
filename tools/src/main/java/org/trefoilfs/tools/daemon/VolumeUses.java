package org.trefoilfs.tools.daemon;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.SessionInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.RunningHost;

/**
 * Where a volume is used. The state log knows the sessions; but that of a mount whose daemon has
 * been gone for more than seconds is over, and programs wait in the mount for the next daemon. So
 * every host is asked what it remembers, and one that does not answer may have such a mount.
 */
final class VolumeUses {
  /** A busy host answers in less; all of them do within the minutes that an engine waits. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(VolumeUses.class);

  private final RunningHost host;
  private final ClusterMounts mounts;

  VolumeUses(RunningHost host, KeptMounts own) {
    this.host = host;
    this.mounts = new ClusterMounts(host, own);
  }

  /** BUSY when it is used; UNAVAILABLE when that cannot be known. */
  void checkUnused(VolumeInfo volume) {
    ClusterSnapshot snapshot = host.latest();
    TreeSet<String> uses = new TreeSet<>();
    for (SessionInfo session : snapshot.mounts().sessions()) {
      if (session.volume() == volume.id()) {
        uses.add(session.host() + ":" + session.mountPoint());
      }
    }
    List<String> silent = new ArrayList<>();
    for (HostInfo each : snapshot.hosts()) {
      try {
        for (MountLine mount : mounts.of(each, PATIENCE)) {
          if (mount.volume().equals(volume.name())) {
            uses.add(mount.host() + ":" + mount.directory());
          }
        }
      } catch (TrefoilException e) {
        LOG.debug("{} does not say what it has mounted", each.name(), e);
        silent.add(each.name());
      }
    }
    check(volume.name(), uses, silent);
  }

  private static void check(String volume, TreeSet<String> uses, List<String> silent) {
    if (!uses.isEmpty()) {
      throw new TrefoilException(
          Reason.BUSY,
          "volume %s: used at %s; remove the containers there, or unmount it"
              .formatted(volume, String.join(", ", uses)));
    }
    if (!silent.isEmpty()) {
      String names = String.join(", ", silent);
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "volume %s: containers of %s may use it, which cannot be asked; start the host, or, if nobody needs the volume, run: trefoil volume delete %s"
              .formatted(volume, names, volume));
    }
  }
}
