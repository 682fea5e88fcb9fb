package org.trefoilfs.replication.membership;

import java.util.Comparator;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.ClusterCommand.CloseSession;
import org.trefoilfs.replication.membership.ClusterCommand.CreateVolume;
import org.trefoilfs.replication.membership.ClusterCommand.DeleteVolume;
import org.trefoilfs.replication.membership.ClusterCommand.EvictSession;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.ClusterCommand.SetVolume;
import org.trefoilfs.replication.membership.ClusterCommand.VolumeGone;

/** Volumes, and the sessions of those who mount them. */
final class VolumeRules {
  /** All travel whole in every delta. */
  static final int MAX_VOLUMES = 4096;

  static final int MAX_SESSIONS = 16_384;

  /** Evictions that are remembered. */
  static final int MAX_LOST = 64;

  /** Longest description of a host, and longest mount point (PATH_MAX), in a session. */
  static final int MAX_TEXT = 4096;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private VolumeRules() {}

  static int create(Draft draft, CreateVolume command) {
    String name = command.name();
    if (!NAME.matcher(name).matches()) {
      throw new TrefoilException(
          Reason.INVALID,
          "'%s' cannot name a volume; use up to 64 letters, digits, '.', '_' and '-'"
              .formatted(name));
    }
    for (VolumeInfo volume : draft.volumes.values()) {
      if (!volume.deleted() && volume.name().equals(name)) {
        throw new TrefoilException(
            Reason.EXISTS, "volume '%s' exists already; choose another name".formatted(name));
      }
    }
    checkRoom(draft.volumes.size(), MAX_VOLUMES, "volumes; delete one first");
    checkReplicas(draft, command);
    int minInSync =
        command.minInSync() == 0
            ? VolumeInfo.usualMinInSync(command.replicas())
            : command.minInSync();
    checkMinInSync(name, command.replicas(), minInSync);
    int id = draft.newVolume();
    draft.volumes.put(
        id,
        new VolumeInfo(
            id, name, command.replicas(), minInSync, command.commit(), command.rpo(), false));
    return id;
  }

  static byte[] set(Draft draft, SetVolume command) {
    VolumeInfo volume = named(draft, command.name());
    int minInSync = command.minInSync() == 0 ? volume.minInSync() : command.minInSync();
    checkMinInSync(volume.name(), volume.replicas(), minInSync);
    draft.volumes.put(
        volume.id(),
        new VolumeInfo(
            volume.id(),
            volume.name(),
            volume.replicas(),
            minInSync,
            command.commit(),
            command.rpo(),
            false));
    return ClusterRules.DONE;
  }

  static byte[] delete(Draft draft, DeleteVolume command) {
    VolumeInfo volume = named(draft, command.name());
    String mounted =
        draft.sessions.values().stream()
            .filter(session -> session.volume() == volume.id())
            .map(session -> session.host() + ":" + session.mountPoint())
            .sorted()
            .collect(Collectors.joining(", "));
    if (!mounted.isEmpty()) {
      throw new TrefoilException(
          Reason.BUSY,
          "volume '%s' is mounted at %s; unmount it there first"
              .formatted(command.name(), mounted));
    }
    draft.volumes.put(volume.id(), volume.gone());
    return ClusterRules.DONE;
  }

  static byte[] gone(Draft draft, VolumeGone command) {
    VolumeInfo volume = draft.volumes.get(command.id());
    if (volume != null && !volume.deleted()) {
      throw new TrefoilException(
          Reason.BUSY, "volume '%s' is not deleted; delete it first".formatted(volume.name()));
    }
    draft.volumes.remove(command.id());
    return ClusterRules.DONE;
  }

  static byte[] open(Draft draft, OpenSession command) {
    VolumeInfo volume = draft.volumes.get(command.volume());
    if (volume == null || volume.deleted()) {
      throw new TrefoilException(
          Reason.NOT_FOUND, "volume " + command.volume() + " does not exist, or was deleted");
    }
    if (command.session() == 0
        || command.host().length() > MAX_TEXT
        || command.mountPoint().length() > MAX_TEXT) {
      throw new TrefoilException(
          Reason.INVALID, "a session needs an id, and texts up to " + MAX_TEXT + " characters");
    }
    SessionInfo session =
        new SessionInfo(command.session(), command.volume(), command.host(), command.mountPoint());
    SessionInfo present = draft.sessions.putIfAbsent(session.id(), session);
    if (present != null && !present.equals(session)) {
      throw new TrefoilException(
          Reason.EXISTS, "session " + session.id() + " is another mount's; choose another id");
    }
    checkRoom(draft.sessions.size() - 1, MAX_SESSIONS, "mounts; unmount one first");
    return ClusterRules.DONE;
  }

  static byte[] close(Draft draft, CloseSession command) {
    draft.sessions.remove(command.session());
    return ClusterRules.DONE;
  }

  /** As {@link #close}; what the mount had not shipped is remembered. */
  static byte[] evict(Draft draft, EvictSession command) {
    SessionInfo session = draft.sessions.remove(command.session());
    if (session != null && command.window().worstBytes() > 0) {
      draft.lostSpools.put(
          session.id(),
          new LostSpool(
              session, draft.nextEpoch(), command.atMillis(), command.window(), command.ranges()));
      trim(draft.lostSpools);
    }
    return ClusterRules.DONE;
  }

  /** The latest stay. */
  static void trim(TreeMap<Long, LostSpool> lost) {
    while (lost.size() > MAX_LOST) {
      lost.remove(
          lost.values().stream()
              .min(Comparator.comparingLong(LostSpool::epoch))
              .map(LostSpool::session)
              .orElseThrow());
    }
  }

  private static void checkReplicas(Draft draft, CreateVolume command) {
    long hosts = draft.hosts.values().stream().filter(host -> !host.witness()).count();
    if (command.replicas() < 1 || command.replicas() > PoolRules.MAX_REPLICAS) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume '%s' wants %d replicas; say --replicas 1 to %d"
              .formatted(command.name(), command.replicas(), PoolRules.MAX_REPLICAS));
    }
    if (hosts < command.replicas()) {
      throw tooFewHosts(command.name(), command.replicas(), hosts);
    }
    if (!draft.hasPool(command.replicas())) {
      throw new TrefoilException(
          Reason.NOT_FOUND,
          "there is no pool of " + command.replicas() + " replicas; create it first");
    }
  }

  static TrefoilException tooFewHosts(String volume, int replicas, long hosts) {
    return new TrefoilException(
        Reason.INVALID,
        "volume '%s' wants %d replicas and the cluster has %d storage host%s; join hosts or say --replicas %d"
            .formatted(volume, replicas, hosts, hosts == 1 ? "" : "s", Math.max(1, hosts)));
  }

  private static VolumeInfo named(Draft draft, String name) {
    return draft.volumes.values().stream()
        .filter(volume -> !volume.deleted() && volume.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new TrefoilException(
                    Reason.NOT_FOUND,
                    "there is no volume '%s'; list them with `trefoil volume list`"
                        .formatted(name)));
  }

  private static void checkMinInSync(String volume, int replicas, int minInSync) {
    if (minInSync < 1 || minInSync > replicas) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume '%s' cannot want %d of %d replicas in sync; say --min-in-sync 1 to %d"
              .formatted(volume, minInSync, replicas, replicas));
    }
  }

  private static void checkRoom(int present, int limit, String remedy) {
    if (present >= limit) {
      throw new TrefoilException(
          Reason.TOO_LARGE, "the cluster has its limit of " + limit + " " + remedy);
    }
  }
}
