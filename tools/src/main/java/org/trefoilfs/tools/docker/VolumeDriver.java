package org.trefoilfs.tools.docker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.docker.PluginHost.Mounted;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;

/**
 * What the engine's verbs do: a volume that containers of this machine use is mounted once, under
 * {@link MountRoot}, from its first use to its last, whichever daemons serve meanwhile. A use is
 * noted once the mount is up and before the engine hears of it; so a use without a mount is none,
 * and a mount without uses is a leftover.
 */
public final class VolumeDriver {
  /** Less than the two minutes that an engine waits for an answer. */
  private static final Duration MOUNTING = Duration.ofSeconds(60);

  private static final Duration LOOKING = Duration.ZERO;

  /** Uses of one volume change one after the other; those of others rarely wait for them. */
  private static final int LOCKS = 64;

  private static final Logger LOG = LoggerFactory.getLogger(VolumeDriver.class);

  private final PluginHost host;
  private final References references;
  private final MountRoot root;
  private final List<ReentrantLock> locks =
      Stream.generate(() -> new ReentrantLock(true)).limit(LOCKS).toList();

  VolumeDriver(PluginHost host, References references, MountRoot root) {
    this.host = host;
    this.references = references;
    this.root = root;
  }

  void create(String name, Map<String, String> options) {
    root.place(name);
    host.create(name, options);
  }

  void remove(String name) {
    ReentrantLock lock = lock(name);
    lock.lock();
    try {
      int uses = uses(name);
      if (uses > 0) {
        throw new TrefoilException(
            Reason.BUSY,
            "volume %s: %d container%s of host %s use%s it; remove %s first"
                .formatted(
                    name,
                    uses,
                    uses == 1 ? "" : "s",
                    host.name(),
                    uses == 1 ? "s" : "",
                    uses == 1 ? "it" : "them"));
      }
      host.delete(name);
    } finally {
      lock.unlock();
    }
  }

  /** Where the volume is mounted, once it is. */
  Path mount(String name, String id) {
    host.volume(name);
    Path place = root.place(name);
    ReentrantLock lock = lock(name);
    lock.lock();
    try {
      if (!isUp(name, place)) {
        attach(name);
      }
      note(name, id, place);
      return place;
    } finally {
      lock.unlock();
    }
  }

  private void note(String name, String id, Path place) {
    try {
      references.add(name, id);
    } catch (RuntimeException e) {
      if (references.count(name) == 0) {
        detach(name, place);
      }
      throw e;
    }
  }

  private boolean isUp(String name, Path place) {
    Optional<Mounted> mounted = host.mounted(place, MOUNTING);
    if (mounted.isEmpty()) {
      // Whoever unmounted it did so to all who used it.
      references.clear(name);
      return false;
    }
    return switch (mounted.get()) {
      case Mounted.Ended() -> false;
      case Mounted.Waiting(String problem) ->
          throw new TrefoilException(
              Reason.UNAVAILABLE,
              "volume %s: its mount at %s is not up yet (%s); try again, or run: trefoil unmount %s"
                  .formatted(name, place, problem, place));
      case Mounted.Up() -> {
        if (!MountRoot.isMounted(place)) {
          throw new TrefoilException(
              Reason.BUSY,
              "volume %s: it was taken off %s by hand while containers use it; remove them, or run: trefoil unmount %s"
                  .formatted(name, place, place));
        }
        yield true;
      }
    };
  }

  private void attach(String name) {
    Path place = root.prepare(name);
    try {
      host.mount(new MountSpec(name, place.toString(), List.of(), FuseTransportKind.KERNEL));
    } catch (RuntimeException e) {
      root.remove(place);
      throw e;
    }
    LOG.info("volume {} is mounted for containers", name);
  }

  /** Ends a use; does nothing when there is no such one. */
  void unmount(String name, String id) {
    Path place = root.place(name);
    ReentrantLock lock = lock(name);
    lock.lock();
    try {
      references.remove(name, id);
      if (references.count(name) == 0) {
        detach(name, place);
      }
    } finally {
      lock.unlock();
    }
  }

  private void detach(String name, Path place) {
    // What an earlier daemon has left is shipped by taking it over, if that succeeds.
    host.mounted(place, MOUNTING);
    try {
      host.unmount(place);
      LOG.info("no container uses volume {} any more", name);
    } catch (TrefoilException e) {
      if (e.reason() != Reason.NOT_FOUND) {
        throw e;
      }
    }
    MountPoints.detach(place);
    root.remove(place);
  }

  private ReentrantLock lock(String name) {
    return locks.get(Math.floorMod(name.hashCode(), LOCKS));
  }

  PluginMessages.Volume get(String name) {
    VolumeInfo volume = host.volume(name);
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("replicas", volume.replicas());
    status.put("min-in-sync", volume.minInSync());
    status.put("commit", volume.commit().name().toLowerCase(Locale.ROOT));
    status.put("rpo-ms", volume.rpo().age().toMillis());
    status.put("rpo-bytes", volume.rpo().bytes());
    status.put("host", host.name());
    status.put("containers-here", uses(name));
    return new PluginMessages.Volume(name, placeInUse(name), status);
  }

  List<PluginMessages.Volume> list() {
    return host.volumes().stream()
        .map(VolumeInfo::name)
        .map(name -> new PluginMessages.Volume(name, placeInUse(name), null))
        .toList();
  }

  /** Where it is mounted on this machine; empty when it is not. */
  String path(String name) {
    host.volume(name);
    return placeInUse(name);
  }

  private String placeInUse(String name) {
    return uses(name) > 0 ? root.place(name).toString() : "";
  }

  private int uses(String name) {
    return isRemembered(name) ? references.count(name) : 0;
  }

  private boolean isRemembered(String name) {
    return host.mounted(root.place(name), LOOKING).isPresent();
  }

  /** Whether containers use what is mounted there. */
  public boolean isUsed(Path directory) {
    return root.holds(directory) && references.count(directory.getFileName().toString()) > 0;
  }
}
