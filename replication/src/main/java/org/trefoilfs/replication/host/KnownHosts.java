package org.trefoilfs.replication.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.env.StableFile;
import org.trefoilfs.replication.membership.Address;

/**
 * Remembers the other hosts' addresses in a data directory, for a start before the state log
 * answers.
 */
final class KnownHosts {
  private static final Logger log = LoggerFactory.getLogger(KnownHosts.class);
  private static final String FILE = "known-hosts";

  private KnownHosts() {}

  static List<Address> load(Path data) {
    Path file = data.resolve(FILE);
    try {
      return Files.exists(file)
          ? Files.readAllLines(file).stream()
              .filter(line -> !line.isBlank())
              .map(line -> Address.parse(line.strip(), HostOptions.DEFAULT_PORT))
              .toList()
          : List.of();
    } catch (IOException | RuntimeException e) {
      log.warn("{} is not readable ({}); it is written anew", file, e.getMessage());
      return List.of();
    }
  }

  static void save(Path data, Collection<Address> hosts) {
    if (hosts.isEmpty() || Set.copyOf(hosts).equals(Set.copyOf(load(data)))) {
      return;
    }
    String lines = hosts.stream().map(host -> host + "\n").collect(Collectors.joining());
    try {
      StableFile.replace(data.resolve(FILE), lines.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      log.warn("cannot write {}: {}", data.resolve(FILE), e.getMessage());
    }
  }
}
