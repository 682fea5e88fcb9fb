package org.trefoilfs.replication.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
    if (hosts.isEmpty()) {
      return;
    }
    Path temporary = data.resolve(FILE + ".new");
    try {
      Files.write(temporary, hosts.stream().map(Address::toString).toList());
      Files.move(temporary, data.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      log.warn("cannot write {}: {}", data.resolve(FILE), e.getMessage());
    }
  }
}
