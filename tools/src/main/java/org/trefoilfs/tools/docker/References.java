package org.trefoilfs.tools.docker;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.mount.Here;

/**
 * Which uses there are of which volumes on this machine, by the ids that the engine gave them: in
 * {@code DIR/docker.json}, on stable storage before the engine hears of it. A container does not
 * live through a reboot, so neither do its references. Thread-safe.
 */
final class References {
  static final String NAME = "docker.json";

  /** Of one volume. A machine runs some hundred containers. */
  private static final int MAX_USES = 4096;

  private final Path file;
  private final String boot;
  private final TreeMap<String, TreeSet<String>> uses = new TreeMap<>();

  /**
   * @param boot the kernel under which the uses are
   * @param uses ids, by the volume's name
   */
  private record Content(String boot, Map<String, List<String>> uses) {}

  private References(Path file, String boot) {
    this.file = file;
    this.boot = boot;
  }

  /** Those that an earlier process has left, unless the machine was started since. */
  static References load(Path data) {
    return load(data, Here.current().boot());
  }

  static References load(Path data, String boot) {
    References references = new References(data.resolve(NAME), boot);
    Json.load(references.file, Content.class)
        .filter(content -> content.boot().equals(boot))
        .ifPresent(
            content ->
                content
                    .uses()
                    .forEach((name, ids) -> references.uses.put(name, new TreeSet<>(ids))));
    return references;
  }

  /** Once, however often it is added. */
  synchronized void add(String volume, String id) {
    TreeSet<String> ids = uses.computeIfAbsent(volume, any -> new TreeSet<>());
    if (ids.size() >= MAX_USES && !ids.contains(id)) {
      throw new TrefoilException(
          Reason.TOO_LARGE,
          "volume %s: %d containers use it on this machine, the limit; stop one first"
              .formatted(volume, MAX_USES));
    }
    if (ids.add(id)) {
      try {
        store();
      } catch (RuntimeException e) {
        forget(volume, id);
        throw e;
      }
    }
  }

  /** Does nothing when there is no such use. */
  synchronized void remove(String volume, String id) {
    if (forget(volume, id)) {
      store();
    }
  }

  private boolean forget(String volume, String id) {
    Set<String> ids = uses.getOrDefault(volume, new TreeSet<>());
    boolean removed = ids.remove(id);
    if (ids.isEmpty()) {
      uses.remove(volume);
    }
    return removed;
  }

  /** Forgets all uses of the volume. */
  synchronized void clear(String volume) {
    if (uses.remove(volume) != null) {
      store();
    }
  }

  /** Forgets all uses of other volumes than these. */
  synchronized void retain(Collection<String> volumes) {
    if (uses.keySet().retainAll(volumes)) {
      store();
    }
  }

  synchronized int count(String volume) {
    return uses.getOrDefault(volume, new TreeSet<>()).size();
  }

  private void store() {
    Map<String, List<String>> content = new TreeMap<>();
    uses.forEach((volume, ids) -> content.put(volume, List.copyOf(ids)));
    Json.store(file, new Content(boot, content));
  }
}
