package org.trefoilfs.tools.demo;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.trefoilfs.tools.admin.Json;

/**
 * {@code DIR/demo.json}: what a demo consists of, so that the next start is the same.
 *
 * @param ports of the hosts, in order
 */
public record DemoFile(List<Integer> ports) {
  private static final String NAME = "demo.json";

  public DemoFile {
    ports = List.copyOf(ports);
  }

  public static Optional<DemoFile> load(Path directory) {
    return Json.load(directory.resolve(NAME), DemoFile.class);
  }

  void store(Path directory) {
    Json.store(directory.resolve(NAME), this);
  }

  public int hosts() {
    return ports.size();
  }

  /** Data directory of a host, numbered from 1. */
  static Path data(Path directory, int host) {
    return directory.resolve("host" + host);
  }

  static Path mountPoint(Path directory, int host) {
    return directory.resolve("mnt" + host);
  }

  /** Data directories of the demo in this directory; none when there is no demo. */
  public static List<Path> dataDirectories(Path directory) {
    int hosts = load(directory).map(DemoFile::hosts).orElse(0);
    return IntStream.rangeClosed(1, hosts).mapToObj(host -> data(directory, host)).toList();
  }
}
