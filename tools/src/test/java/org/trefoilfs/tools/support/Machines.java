package org.trefoilfs.tools.support;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.demo.Ports;

/** Where the hosts of {@link ClusterProcesses} run, and with which settings. */
public interface Machines {
  /** {@code ADDRESS:PORT} of a host, the same at each call. */
  String listen(int host);

  /** The command that runs another one on the host's machine; empty for this one. */
  default List<String> enter(int host) {
    return List.of();
  }

  /** What a host is started with, beside its name, directory and address. */
  default HostConfig settings(int host) {
    return HostConfig.empty();
  }

  /** All on the loopback address of this machine, on free ports. */
  static Machines here(int hosts) {
    // Room for several test runs at once on one machine.
    List<Integer> ports = Ports.free(hosts, ThreadLocalRandom.current().nextInt(20_000, 31_000));
    return host -> "127.0.0.1:" + ports.get(host - 1);
  }

  /** The same machines, and hosts that are started with these settings. */
  default Machines with(HostConfig settings) {
    Machines machines = this;
    return new Machines() {
      @Override
      public String listen(int host) {
        return machines.listen(host);
      }

      @Override
      public List<String> enter(int host) {
        return machines.enter(host);
      }

      @Override
      public HostConfig settings(int host) {
        return settings;
      }
    };
  }
}
