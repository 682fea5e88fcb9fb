package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * How a newcomer asks any host of a cluster to be let in.
 *
 * @param detection what it was told to use; it is let in only if the cluster uses the same
 */
record JoinRequest(
    String name,
    Address address,
    boolean witness,
    int weight,
    String domain,
    Optional<Duration> detection) {
  static final String VERB = "join";

  /**
   * Machines are started together, so the host to join may come up a moment later. Asking twice is
   * harmless: the same name at the same address is the same host.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Duration RETRY = Duration.ofMillis(200);

  /** What the newcomer is told. */
  record Accepted(String clusterId, HostId host, Duration detection, List<Address> hosts) {}

  Accepted send(Transport transport, Address to, Duration timeout, TimeSource time) {
    ByteWriter out = new ByteWriter();
    out.string(name).string(address.toString()).bool(witness).i32(weight).string(domain);
    out.i64(detection.map(Duration::toMillis).orElse(0L));
    Message request = new Message.Admin(VERB, out.toBytes());
    long deadline = time.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        return accepted(to, transport.call(to, request, timeout).join());
      } catch (RuntimeException e) {
        TrefoilException why = TrefoilException.of(e);
        boolean comesUp =
            why.reason() == Reason.UNAVAILABLE || why.reason() == Reason.OUTCOME_UNKNOWN;
        if (!comesUp || time.nanoTime() - deadline > 0) {
          throw new TrefoilException(
              why.reason(), "cannot join the cluster of " + to + ": " + why.getMessage(), why);
        }
        LockSupport.parkNanos(RETRY.toNanos());
      }
    }
  }

  private static Accepted accepted(Address to, Message answer) {
    if (!(answer instanceof Message.AdminReply(byte[] body))) {
      throw new TrefoilException(Reason.REFUSED, to + " does not answer as a host of a cluster");
    }
    ByteReader in = new ByteReader(body);
    String clusterId = in.string();
    HostId host = new HostId(in.i32());
    Duration detection = Duration.ofMillis(in.i64());
    List<Address> hosts = new ArrayList<>();
    int count = in.count(4);
    for (int i = 0; i < count; i++) {
      hosts.add(Address.parse(in.string(), HostOptions.DEFAULT_PORT));
    }
    return new Accepted(clusterId, host, detection, hosts);
  }

  static CompletableFuture<byte[]> accept(
      ByteReader in, ClusterClient cluster, Supplier<ClusterView> view) {
    String name = in.string();
    Address address = Address.parse(in.string(), HostOptions.DEFAULT_PORT);
    refuseReturnWithoutData(name, address, view.get());
    ClusterCommand.RegisterHost register =
        new ClusterCommand.RegisterHost(
            name,
            address,
            new Address(address.host(), address.port() + 1),
            in.bool(),
            in.i32(),
            in.string());
    refuseOtherDetection(name, in.i64(), view.get().detection());
    return cluster
        .registerHost(register)
        .thenApply(
            host -> {
              ClusterView now = view.get();
              ByteWriter out = new ByteWriter();
              out.string(now.clusterId()).i32(host.value()).i64(now.detection().toMillis());
              out.i32(now.hosts().size());
              now.hosts().values().stream()
                  .map(HostInfo::address)
                  .forEach(known -> out.string(known.toString()));
              return out.toBytes();
            });
  }

  /**
   * A host that counted on its lease for longer than others wait before they replace it would serve
   * what is no longer true.
   */
  private static void refuseOtherDetection(String name, long wantedMillis, Duration cluster) {
    if (wantedMillis != 0 && wantedMillis != cluster.toMillis()) {
      throw new TrefoilException(
          Reason.INVALID,
          "host '%s' wants to detect failures in %d ms, and this cluster does in %d ms; leave out --failure-detection: it takes the cluster's"
              .formatted(name, wantedMillis, cluster.toMillis()));
    }
  }

  /**
   * A host that has run before and comes without its identity has lost its data directory. Under
   * its old number it would count as holding what it no longer has.
   */
  private static void refuseReturnWithoutData(String name, Address address, ClusterView view) {
    for (HostInfo known : view.hosts().values()) {
      boolean same = known.name().equals(name) || known.address().equals(address);
      if (same && known.incarnation() > 0) {
        throw new TrefoilException(
            Reason.EXISTS,
            "host '"
                + known.name()
                + "' on "
                + known.address()
                + " is a member already, and this data directory is not its own; start it with its old --data, or join"
                + " as a new host with another --name and another --listen");
      }
    }
  }
}
