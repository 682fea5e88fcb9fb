package org.trefoilfs.replication.host;

import java.nio.file.Files;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.ratis.RatisOptions;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * How a host comes to know who it is: from its data directory, by founding a cluster, or by asking
 * one to let it in.
 */
final class Introduction {
  private static final Logger log = LoggerFactory.getLogger(Introduction.class);

  /** How long a host waits to hear whether it joins its own cluster. */
  private static final Duration JOIN_CHECK = Duration.ofSeconds(2);

  private final HostOptions options;
  private final Optional<Identity> known;
  private final Set<Address> seeds;

  private Introduction(HostOptions options, Optional<Identity> known, Set<Address> seeds) {
    this.options = options;
    this.known = known;
    this.seeds = seeds;
  }

  /** Reads the data directory. INVALID when the options contradict it. */
  static Introduction of(HostOptions options) {
    Optional<Identity> known = Identity.load(options.data());
    known.ifPresent(identity -> check(options, identity));
    Set<Address> seeds = new LinkedHashSet<>(KnownHosts.load(options.data()));
    options.join().ifPresent(seeds::add);
    return new Introduction(options, known, seeds);
  }

  private static void check(HostOptions options, Identity known) {
    String directory =
        "data directory "
            + options.data()
            + " belongs to host '"
            + known.name()
            + "' on "
            + known.address();
    options
        .listen()
        .filter(listen -> listen.port() != 0 && !listen.equals(known.address()))
        .ifPresent(
            listen -> {
              throw new TrefoilException(
                  Reason.INVALID,
                  directory
                      + ", not on "
                      + listen
                      + "; leave out --listen, or start with another --data");
            });
    options
        .name()
        .filter(name -> !name.equals(known.name()))
        .ifPresent(
            name -> {
              throw new TrefoilException(
                  Reason.INVALID,
                  directory
                      + ", not to '"
                      + name
                      + "'; leave out --name, or start with another --data");
            });
    options
        .settings()
        .detection()
        .filter(detection -> !detection.equals(known.detection()))
        .ifPresent(
            detection -> {
              throw new TrefoilException(
                  Reason.INVALID,
                  directory
                      + ", whose cluster detects failures in "
                      + known.detection().toMillis()
                      + " ms, not in "
                      + detection.toMillis()
                      + " ms; leave out --failure-detection: it is set when a cluster is founded");
            });
  }

  /** Where this host has listened before, or is to listen. */
  Address listen() {
    return known.map(Identity::address).orElseGet(() -> Addresses.choose(options));
  }

  /**
   * Who this host is from now on. A new cluster's first host names itself; any other asks the
   * cluster for its number; one that has run before begins another incarnation.
   *
   * @param listen where it listens
   */
  Identity introduce(Address listen, Transport transport, TimeSource time) {
    return known
        .map(Identity::nextIncarnation)
        .orElseGet(
            () ->
                options.join().isEmpty()
                    ? foundingIdentity(listen)
                    : join(listen, transport, time));
  }

  private Identity foundingIdentity(Address listen) {
    Duration detection = options.settings().detection().orElse(ClusterView.DEFAULT_DETECTION);
    String clusterId = UUID.randomUUID().toString();
    boolean witness = options.settings().witness();
    return new Identity(clusterId, new HostId(1), name(), listen, witness, detection, 1);
  }

  private String name() {
    return options.name().orElseGet(Names::ofThisMachine);
  }

  private Identity join(Address listen, Transport transport, TimeSource time) {
    String name = name();
    boolean witness = options.settings().witness();
    JoinRequest request =
        new JoinRequest(
            name,
            listen,
            witness,
            options.settings().weight(),
            options.settings().domain().orElse(name),
            options.settings().detection());
    JoinRequest.Accepted accepted =
        request.send(transport, options.join().orElseThrow(), options.settings().timeout(), time);
    seeds.addAll(accepted.hosts());
    return new Identity(
        accepted.clusterId(), accepted.host(), name, listen, witness, accepted.detection(), 1);
  }

  /** Where other hosts of the cluster may be found. */
  Set<Address> seeds() {
    return seeds;
  }

  /**
   * A host whose state log is gone, although others are known to it, joins again. The first host of
   * a cluster that got no further than naming itself founds it again.
   */
  RatisOptions.Start start() {
    if (known.isPresent() && Files.isDirectory(options.data().resolve(Host.LOG))) {
      return RatisOptions.Start.RESTART;
    }
    boolean founding = known.isEmpty() && options.join().isEmpty();
    boolean foundingAgain = known.isPresent() && known.get().host().value() == 1 && seeds.isEmpty();
    return founding || foundingAgain ? RatisOptions.Start.BOOTSTRAP : RatisOptions.Start.JOIN;
  }

  /**
   * A directory that has a cluster already stays in it: --join then says where that one is, and
   * must not say anything else. Nobody may answer: the whole cluster may be starting.
   */
  void checkSameCluster(Transport transport) {
    known.ifPresent(self -> options.join().ifPresent(to -> checkSameCluster(self, to, transport)));
  }

  private void checkSameCluster(Identity self, Address to, Transport transport) {
    try {
      transport.call(to, new Message.MapRequest(0), JOIN_CHECK).join();
    } catch (RuntimeException e) {
      TrefoilException why = TrefoilException.of(e);
      if (why.reason() == Reason.REFUSED) {
        throw new TrefoilException(
            Reason.REFUSED,
            "data directory "
                + options.data()
                + " belongs to cluster "
                + self.clusterId()
                + ", and "
                + to
                + " to another cluster; leave out --join to go on in its own, or join with an"
                + " empty --data",
            why);
      }
      log.debug("{} does not say which cluster it belongs to: {}", to, why.getMessage());
    }
  }

  /** Whether this host is the first of its cluster, and may have to create it. */
  boolean founds(Identity self) {
    return self.host().value() == 1 && options.join().isEmpty();
  }

  /** A cluster that exists keeps the groups that it was founded with. */
  void checkGroups(ClusterView cluster) {
    HostOptions.Settings settings = options.settings();
    int bits = cluster.placement().bits();
    if (!cluster.clusterId().isEmpty()
        && settings.groups().isPresent()
        && settings.groupBits() != bits) {
      throw new TrefoilException(
          Reason.INVALID,
          "this cluster was founded with "
              + (1 << bits)
              + " placement groups, and keeps to that; leave out --groups");
    }
  }

  /** Enters the first host of a new cluster into its own state log. */
  void found(Identity self, ClusterClient cluster) {
    HostOptions.Settings settings = options.settings();
    await(
        cluster
            .createCluster(
                new ClusterCommand.CreateCluster(
                    self.clusterId(), settings.groupBits(), self.detection()))
            .thenCompose(
                _ ->
                    cluster.registerHost(
                        new ClusterCommand.RegisterHost(
                            self.name(),
                            self.address(),
                            self.raftAddress(),
                            self.witness(),
                            settings.weight(),
                            settings.domain().orElse(self.name())))),
        "creating the cluster");
  }

  private static <T> T await(CompletableFuture<T> future, String what) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw TrefoilException.of(e);
    } catch (TimeoutException e) {
      throw new TrefoilException(Reason.UNAVAILABLE, what + " took longer than 30 s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(Reason.UNAVAILABLE, what + " was interrupted", e);
    }
  }
}
