package org.trefoilfs.replication.statelog.ratis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.ClusterCommand;
import org.trefoilfs.replication.membership.ClusterModule;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.simulation.Simulation;
import org.trefoilfs.replication.statelog.InMemoryKeyValue;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Settings;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Start;

/**
 * The commands of one simulated run, submitted to three Ratis servers with the module that the
 * simulator's ideal log had. After each the servers' leader and the ideal log must be at the same
 * epoch and have answered alike; in the end all rows are equal.
 */
final class HistoryReplay implements AutoCloseable {
  /** In each history, spread over its commands. */
  private static final int FAULTS = 6;

  /** A server stops at any moment within so long, while the next commands are decided. */
  private static final Duration MOMENT = Duration.ofMillis(3);

  /** So few entries between snapshots that servers which come back need one. */
  private static final Settings SETTINGS =
      new Settings(
          Duration.ofMillis(250),
          Duration.ofMillis(400),
          Duration.ofSeconds(2),
          Duration.ofSeconds(5),
          12,
          0,
          64 << 10);

  /** Changes nothing; once it is decided, so is whatever was submitted before. */
  private static final ClusterCommand MARK = new ClusterCommand.CloseSession(Long.MAX_VALUE);

  private final List<ClusterCommand> history;
  private final Random random;
  private final Cluster cluster;
  private final ClusterModule ideal = new ClusterModule();
  private final InMemoryKeyValue idealRows = new InMemoryKeyValue();

  /** Whoever led when last looked at; asked while it is being stopped, too. */
  private RatisStateLog leader;

  private HostId leading;

  private int unknown;
  private int refused;

  private enum Fault {
    LEADER_STOPS,
    FOLLOWER_STOPS,
    LEADER_HANDS_OVER,
    ALL_RESTART
  }

  HistoryReplay(Path directory, long seed) {
    history = Simulation.history(seed);
    random = new Random(seed);
    cluster = new Cluster(directory, SETTINGS, ClusterModule::new);
    leader = cluster.grow(3);
    leading = cluster.hostOf(leader);
  }

  /** What it was like, for the log. */
  String play() {
    for (ClusterCommand command : history) {
      CompletableFuture<Void> fault =
          random.nextInt(history.size()) < FAULTS
              ? strike(Fault.values()[random.nextInt(Fault.values().length)])
              : CompletableFuture.completedFuture(null);
      decide(command);
      Cluster.get(fault);
    }
    restartStopped();
    cluster.awaitSameStateEverywhere();
    assertThat(Cluster.dump(cluster.awaitLeader())).isEqualTo(idealDump());
    return "  %d commands, %d refused, %d of unknown outcome"
        .formatted(history.size(), refused, unknown);
  }

  // ---- one command

  private void decide(ClusterCommand command) {
    long before = ideal.view().epoch();
    String expected = outcome(() -> onIdeal(command));
    String decided = onRatis(command, before);
    if (decided.equals(Reason.OUTCOME_UNKNOWN.name())) {
      unknown++;
    } else {
      assertThat(decided).as("%s", command).isEqualTo(expected);
    }
    assertThat(epoch()).as("after %s", command).isEqualTo(ideal.view().epoch());
  }

  private byte[] onIdeal(ClusterCommand command) {
    try {
      return ideal.apply(idealRows, command.encode());
    } catch (TrefoilException e) {
      refused++;
      throw e;
    } finally {
      ideal.applied(idealRows);
    }
  }

  /** Its outcome; unknown when it was done, and the answer is lost. */
  private String onRatis(ClusterCommand command, long epochBefore) {
    while (true) {
      String outcome = submit(command);
      if (!outcome.equals(Reason.OUTCOME_UNKNOWN.name())) {
        return outcome;
      }
      while (submit(MARK).equals(Reason.OUTCOME_UNKNOWN.name())) {}
      if (epoch() != epochBefore || ideal.view().epoch() == epochBefore) {
        return outcome;
      }
    }
  }

  private String submit(ClusterCommand command) {
    while (true) {
      String outcome =
          outcome(() -> Cluster.get(leader().submit(ClusterModule.ID, command.encode())));
      boolean nothingDone =
          outcome.equals(Reason.NOT_LEADER.name()) || outcome.equals(Reason.UNAVAILABLE.name());
      if (!nothingDone) {
        return outcome;
      }
    }
  }

  private RatisStateLog leader() {
    if (!leader.isLeader()) {
      leader = cluster.awaitLeader();
      leading = cluster.hostOf(leader);
    }
    return leader;
  }

  private static String outcome(Supplier<byte[]> decision) {
    try {
      return HexFormat.of().formatHex(decision.get());
    } catch (RuntimeException e) {
      return TrefoilException.of(e).reason().name();
    }
  }

  /** Of the cluster, asked for linearizably. */
  private long epoch() {
    while (true) {
      try {
        Cluster.get(leader().verifyLeadership());
        return ((ClusterModule) cluster.modules.get(leading)).view().epoch();
      } catch (RuntimeException e) {
        assertThat(TrefoilException.of(e).reason())
            .isIn(Reason.NOT_LEADER, Reason.UNAVAILABLE, Reason.OUTCOME_UNKNOWN);
      }
    }
  }

  // ---- faults

  /** Begins it, beside the command that is submitted next; at most one server is down at a time. */
  private CompletableFuture<Void> strike(Fault fault) {
    restartStopped();
    RatisStateLog striking = leader();
    HostId other =
        cluster.logs.keySet().stream().filter(id -> !id.equals(leading)).findAny().orElseThrow();
    return switch (fault) {
      case LEADER_STOPS -> stop(leading);
      case FOLLOWER_STOPS -> stop(other);
      case LEADER_HANDS_OVER -> striking.transferLeadership(other).exceptionally(_ -> null);
      case ALL_RESTART -> {
        cluster.stopAll();
        restartStopped();
        yield CompletableFuture.completedFuture(null);
      }
    };
  }

  private CompletableFuture<Void> stop(HostId host) {
    RatisStateLog log = cluster.logs.remove(host);
    long moment = random.nextLong(MOMENT.toNanos());
    return CompletableFuture.runAsync(
        () -> {
          LockSupport.parkNanos(moment);
          log.close();
        },
        Thread::startVirtualThread);
  }

  private void restartStopped() {
    for (HostId host : cluster.addresses.keySet()) {
      if (!cluster.logs.containsKey(host)) {
        cluster.start(host.value(), Start.RESTART);
      }
    }
  }

  // ---- rows

  /** As {@link Cluster#dump} has them: under the module's number. */
  private Map<String, String> idealDump() {
    HexFormat hex = HexFormat.of();
    Map<String, String> rows = new TreeMap<>();
    byte[] all = {};
    idealRows.scan(
        all,
        all,
        (key, value) -> {
          rows.put(hex.toHexDigits(ClusterModule.ID) + hex.formatHex(key), hex.formatHex(value));
          return true;
        });
    return rows;
  }

  @Override
  public void close() {
    cluster.close();
  }
}
