package org.trefoilfs.tools.support;

import java.util.List;
import org.trefoilfs.tools.daemon.HostConfig;

/**
 * A machine for each host as far as the network goes: a network namespace, joined by a veth pair to
 * a bridge, through which this process reaches them too. Mounts stay visible here. Names hold this
 * process' id, and everything is removed by {@link #close}.
 */
public final class NetworkNamespaces implements Machines, AutoCloseable {
  private static final int PORT = 7440;

  private final String prefix = "tf" + ProcessHandle.current().pid();
  private final String subnet;
  private final int hosts;
  private final HostConfig settings;

  private NetworkNamespaces(int hosts, HostConfig settings) {
    this.hosts = hosts;
    this.settings = settings;
    long number = ProcessHandle.current().pid() % (100 * 250);
    this.subnet = "10." + (120 + number / 250) + "." + (1 + number % 250) + ".";
  }

  public static NetworkNamespaces create(int hosts, HostConfig settings) {
    NetworkNamespaces network = new NetworkNamespaces(hosts, settings);
    try {
      network.build();
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private void build() {
    Commands.runLine("ip link add " + bridge() + " type bridge");
    Commands.runLine("ip address add " + subnet + "254/24 dev " + bridge());
    Commands.runLine("ip link set " + bridge() + " up");
    for (int host = 1; host <= hosts; host++) {
      String in = "ip -n " + namespace(host) + " ";
      Commands.runLine("ip netns add " + namespace(host));
      Commands.runLine(
          "ip link add " + cable(host) + " type veth peer name eth0 netns " + namespace(host));
      Commands.runLine("ip link set " + cable(host) + " master " + bridge());
      Commands.runLine(in + "link set lo up");
      Commands.runLine(in + "address add " + subnet + host + "/24 dev eth0");
      Commands.runLine(in + "link set eth0 up");
      plugIn(host);
    }
  }

  private String bridge() {
    return prefix + "b";
  }

  private String cable(int host) {
    return prefix + "h" + host;
  }

  private String namespace(int host) {
    return prefix + "n" + host;
  }

  /** Cuts a host off from all others, and from this process. */
  public void cutOff(int host) {
    Commands.runLine("ip link set " + cable(host) + " down");
  }

  public void plugIn(int host) {
    Commands.runLine("ip link set " + cable(host) + " up");
  }

  @Override
  public String listen(int host) {
    return subnet + host + ":" + PORT;
  }

  @Override
  public List<String> enter(int host) {
    return List.of("nsenter", "--net=/run/netns/" + namespace(host), "--");
  }

  @Override
  public HostConfig settings(int host) {
    return settings;
  }

  @Override
  public void close() {
    for (int host = 1; host <= hosts; host++) {
      Commands.fails("ip", "link", "delete", cable(host));
      Commands.fails("ip", "netns", "delete", namespace(host));
    }
    Commands.fails("ip", "link", "delete", bridge());
  }
}
