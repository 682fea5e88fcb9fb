package org.trefoilfs.replication.statelog.ratis;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.NotesModule;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Settings;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Start;

/** State log replicas on loopback ports of this process. */
final class Cluster implements AutoCloseable {
  static final Settings QUICK =
      new Settings(
          Duration.ofMillis(250),
          Duration.ofMillis(400),
          Duration.ofSeconds(2),
          Duration.ofSeconds(5),
          200_000,
          0,
          1 << 20);

  private final UUID id = UUID.randomUUID();
  private final Path directory;
  private final Settings settings;
  final Map<HostId, Address> addresses = new TreeMap<>();
  final Map<HostId, RatisStateLog> logs = new TreeMap<>();
  private final Supplier<StateModule> module;
  final Map<HostId, StateModule> modules = new TreeMap<>();

  /** Of replicas that keep notes. */
  Cluster(Path directory, Settings settings) {
    this(directory, settings, NotesModule::new);
  }

  Cluster(Path directory, Settings settings, Supplier<StateModule> module) {
    quiet();
    this.module = module;
    this.directory = directory;
    this.settings = settings;
  }

  static void quiet() {
    for (String name : List.of("org.apache.ratis", "io.netty")) {
      ((Logger) LoggerFactory.getLogger(name)).setLevel(Level.ERROR);
    }
    ((Logger) LoggerFactory.getLogger("org.apache.ratis.util.LifeCycle")).setLevel(Level.OFF);
  }

  NotesModule notes(int host) {
    return (NotesModule) modules.get(new HostId(host));
  }

  RatisStateLog start(int host, Start start) {
    HostId self = new HostId(host);
    Address address = addresses.computeIfAbsent(self, any -> freeAddress());
    StateModule started = module.get();
    RatisStateLog log =
        RatisStateLog.start(
            new RatisOptions(
                directory.resolve(self.toString()), self, address, id, start, settings),
            List.of(started));
    modules.put(self, started);
    logs.put(self, log);
    return log;
  }

  /** A cluster of so many voters, grown from one. */
  RatisStateLog grow(int voters) {
    RatisStateLog first = start(1, Start.BOOTSTRAP);
    awaitLeader();
    for (int host = 2; host <= voters; host++) {
      start(host, Start.JOIN);
    }
    first.setMembers(Map.copyOf(addresses), Map.of()).orTimeout(15, SECONDS).join();
    return first;
  }

  RatisStateLog awaitLeader() {
    return await()
        .atMost(Duration.ofSeconds(15))
        .pollInterval(Duration.ofMillis(5))
        .until(
            () -> logs.values().stream().filter(RatisStateLog::isLeader).findFirst().orElse(null),
            leader -> leader != null);
  }

  HostId hostOf(RatisStateLog log) {
    return logs.entrySet().stream()
        .filter(entry -> entry.getValue() == log)
        .findFirst()
        .orElseThrow()
        .getKey();
  }

  void stop(HostId host) {
    logs.remove(host).close();
  }

  void stopAll() {
    List<RatisStateLog> all = List.copyOf(logs.values());
    logs.clear();
    all.parallelStream().forEach(RatisStateLog::close);
  }

  /** Everything stored, as text; the log position left out. */
  static Map<String, String> dump(RatisStateLog log) {
    Map<String, String> all = new TreeMap<>();
    log.state()
        .forEach(
            (key, value) -> {
              if (key[0] != 0) {
                all.put(HexFormat.of().formatHex(key), HexFormat.of().formatHex(value));
              }
              return true;
            });
    return all;
  }

  void awaitSameStateEverywhere() {
    await()
        .atMost(Duration.ofSeconds(15))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> logs.values().stream().map(Cluster::dump).distinct().count() == 1);
  }

  static <T> T get(CompletableFuture<T> future) {
    return future.orTimeout(15, SECONDS).join();
  }

  private static Address freeAddress() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new Address("127.0.0.1", socket.getLocalPort());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    stopAll();
  }
}
