package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.daemon.DaemonFile;
import org.trefoilfs.tools.demo.DemoFile;
import org.trefoilfs.tools.library.AdminChannel;
import org.trefoilfs.tools.library.Library;

/**
 * Whom to ask.
 *
 * @param source where the addresses were found, for messages
 */
record Target(List<Address> addresses, String source) {
  static final String CLUSTER_VARIABLE = "TREFOIL_CLUSTER";
  static final String DATA_VARIABLE = "TREFOIL_DATA";

  /** Enough for a connection across a slow network to each of several hosts. */
  private static final Duration CONNECT = Duration.ofSeconds(5);

  /**
   * Options come first, then the environment, then what this machine remembers: {@code --cluster},
   * {@code --data}, {@code TREFOIL_CLUSTER}, {@code TREFOIL_DATA}, the system's data directory, and
   * a demo that runs.
   */
  static Target resolve(GlobalOptions options, Context.Machine machine) {
    if (options.cluster != null) {
      return parse(options.cluster, "--cluster");
    }
    if (options.data != null) {
      return ofData(options.data, "--data");
    }
    String cluster = machine.environment().get(CLUSTER_VARIABLE);
    if (cluster != null && !cluster.isBlank()) {
      return parse(cluster, CLUSTER_VARIABLE);
    }
    String data = machine.environment().get(DATA_VARIABLE);
    if (data != null && !data.isBlank()) {
      return ofData(Path.of(data), DATA_VARIABLE);
    }
    return remembered(machine.systemData())
        .or(() -> demo(machine.demoDirectory()))
        .orElseThrow(
            () ->
                new TrefoilException(
                    Reason.UNAVAILABLE,
                    "no cluster is known here; give --cluster ADDRESS:PORT or set "
                        + CLUSTER_VARIABLE
                        + ", or start one with: "
                        + machine.command()
                        + " demo"));
  }

  private static Target parse(String list, String source) {
    List<Address> addresses = new ArrayList<>();
    for (String one : list.split(",", -1)) {
      addresses.add(Address.parse(one.strip(), HostOptions.DEFAULT_PORT));
    }
    return new Target(addresses, source);
  }

  private static Target ofData(Path data, String source) {
    return remembered(data)
        .orElseThrow(
            () ->
                new TrefoilException(
                    Reason.NOT_FOUND,
                    data + ": no host has run in this directory; check " + source));
  }

  private static Optional<Target> remembered(Path data) {
    return DaemonFile.load(data)
        .map(file -> new Target(file.addresses(), data.resolve(DaemonFile.NAME).toString()));
  }

  private static Optional<Target> demo(Path directory) {
    List<Address> addresses = new ArrayList<>();
    for (Path data : DemoFile.dataDirectories(directory)) {
      DaemonFile.load(data)
          .filter(DaemonFile::isRunning)
          .ifPresent(file -> addresses.add(file.addresses().getFirst()));
    }
    return addresses.isEmpty()
        ? Optional.empty()
        : Optional.of(new Target(addresses, "the demo in " + directory));
  }

  AdminChannel connect(Library library) {
    try {
      return library.connect(addresses, CONNECT);
    } catch (TrefoilException e) {
      if (e.reason() != Reason.UNAVAILABLE) {
        throw e;
      }
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "cluster "
              + addresses.stream().map(Address::toString).collect(Collectors.joining(","))
              + " (from "
              + source
              + "): no host answers; start one with 'trefoil host start', or check the address",
          e);
    }
  }
}
