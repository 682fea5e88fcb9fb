package org.trefoilfs.tools.docker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.mount.MountSpec;

/** What the driver needs of the host that it runs in. Failures are {@code TrefoilException}. */
public interface PluginHost {
  String name();

  /** All volumes of the cluster. */
  List<VolumeInfo> volumes();

  /** NOT_FOUND, with the names that there are. */
  VolumeInfo volume(String name);

  /**
   * Creates a volume; does nothing when there is one that is as these options want it. EXISTS when
   * it is another.
   *
   * @param options as of {@code trefoil volume create}, without dashes
   */
  void create(String name, Map<String, String> options);

  /**
   * Deletes a volume and what it holds. BUSY, and where, when any host uses it; UNAVAILABLE when a
   * host cannot be asked.
   */
  void delete(String name);

  void mount(MountSpec spec);

  /** NOT_FOUND when there is no such mount. */
  void unmount(Path directory);

  /** How the mount at a directory is, if one is remembered there; one that comes up is awaited. */
  Optional<Mounted> mounted(Path directory, Duration patience);

  /** A mount that the host remembers. */
  sealed interface Mounted {
    record Up() implements Mounted {}

    /** It is gone, taken off by other means. */
    record Ended() implements Mounted {}

    /**
     * @param problem why it is not up yet
     */
    record Waiting(String problem) implements Mounted {}
  }
}
