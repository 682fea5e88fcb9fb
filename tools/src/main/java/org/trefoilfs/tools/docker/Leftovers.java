package org.trefoilfs.tools.docker;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;

/** What an earlier daemon has left of mounts that no container uses. */
final class Leftovers {
  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);

  private final References references;
  private final MountRoot root;

  Leftovers(References references, MountRoot root) {
    this.references = references;
    this.root = root;
  }

  /**
   * Takes them off, before the host restores what it remembers.
   *
   * @param remembered the host's mounts
   * @param forget makes the host forget the mount at a directory, and ends what keeps it
   */
  void remove(List<MountSpec> remembered, Consumer<Path> forget) {
    Set<Path> used = new HashSet<>();
    Set<Path> left = new HashSet<>(root.entries());
    Set<String> volumes = new HashSet<>();
    for (MountSpec spec : remembered) {
      if (root.holds(spec.path())) {
        left.add(spec.path());
        volumes.add(spec.volume());
        if (references.count(spec.volume()) > 0) {
          used.add(spec.path());
        }
      }
    }
    references.retain(volumes);
    left.removeAll(used);
    left.forEach(place -> remove(place, forget));
  }

  private void remove(Path place, Consumer<Path> forget) {
    LOG.info("no container uses {} any more", place);
    try {
      forget.accept(place);
      MountPoints.detach(place);
      root.remove(place);
    } catch (TrefoilException e) {
      LOG.warn("{} is left: {}", place, e.getMessage());
    }
  }
}
