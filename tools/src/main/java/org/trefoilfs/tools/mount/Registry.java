package org.trefoilfs.tools.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.Json;

/**
 * Which processes of this machine are daemons, and which hold which mounts: small files under
 * {@code /run/trefoil}, so that a command can find whom to ask. Files of dead processes are ignored
 * and overwritten.
 */
public final class Registry {
  private final Path directory;

  public Registry(Path directory) {
    this.directory = directory;
  }

  /** {@code $TREFOIL_RUN}, else {@code /run/trefoil} for root, else under the user's own. */
  public static Registry ofMachine(Map<String, String> environment) {
    String chosen = environment.get("TREFOIL_RUN");
    if (chosen != null) {
      return new Registry(Path.of(chosen));
    }
    if ("root".equals(System.getProperty("user.name"))) {
      return new Registry(Path.of("/run/trefoil"));
    }
    String user = environment.get("XDG_RUNTIME_DIR");
    return new Registry(
        user != null
            ? Path.of(user, "trefoil")
            : Path.of("/tmp/trefoil-" + System.getProperty("user.name")));
  }

  /**
   * A daemon.
   *
   * @param address where it is asked
   */
  public record Daemon(ProcessId process, Here here, String clusterId, String address) {}

  /**
   * A mount.
   *
   * @param address where its daemon is asked; empty when a process of its own holds it
   * @param data the daemon's directory, which remembers the mount; empty for a process of its own
   */
  public record Mount(
      ProcessId process, String directory, String volume, String address, String data) {}

  public void add(Daemon daemon) {
    all().filter(known -> !known.process().lives()).forEach(dead -> removeDaemon(dead.process()));
    store("daemon-" + daemon.process().pid() + ".json", daemon);
  }

  public void add(Mount mount) {
    store(fileOf(Path.of(mount.directory())), mount);
  }

  public void removeDaemon(ProcessId process) {
    delete("daemon-" + process.pid() + ".json");
  }

  public void removeMount(Path mountPoint) {
    delete(fileOf(mountPoint));
  }

  /** The mount at this path as its process registered it, whether or not that still lives. */
  public Optional<Mount> mountAt(Path mountPoint) {
    return Json.load(directory.resolve(fileOf(mountPoint)), Mount.class)
        .filter(mount -> Path.of(mount.directory()).equals(mountPoint));
  }

  /** Where a process that holds a mount by itself leaves its output. */
  public Path output(Path mountPoint) {
    return directory.resolve(fileOf(mountPoint).replace(".json", ".out"));
  }

  /** Daemons that live. */
  public List<Daemon> daemons() {
    return all().filter(daemon -> daemon.process().lives()).toList();
  }

  private Stream<Daemon> all() {
    List<Daemon> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "daemon-*.json")) {
      for (Path file : files) {
        Json.load(file, Daemon.class).ifPresent(found::add);
      }
    } catch (IOException none) {
      return Stream.empty();
    }
    return found.stream();
  }

  private void store(String name, Object value) {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO,
          directory + ": cannot be created (" + e.getMessage() + "); set TREFOIL_RUN",
          e);
    }
    Json.store(directory.resolve(name), value);
  }

  private void delete(String name) {
    try {
      Files.deleteIfExists(directory.resolve(name));
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, directory + "/" + name + ": cannot be removed", e);
    }
  }

  private static String fileOf(Path mountPoint) {
    CRC32C hash = new CRC32C();
    hash.update(mountPoint.toString().getBytes(StandardCharsets.UTF_8));
    return "mount-" + HexFormat.of().toHexDigits((int) hash.getValue()) + ".json";
  }
}
