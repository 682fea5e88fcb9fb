package org.trefoilfs.replication.statelog.ratis;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.trefoilfs.replication.statelog.NotesModule.ID;
import static org.trefoilfs.replication.statelog.NotesModule.add;
import static org.trefoilfs.replication.statelog.NotesModule.count;
import static org.trefoilfs.replication.statelog.NotesModule.number;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.statelog.LocalStateLog;
import org.trefoilfs.replication.statelog.MemoryTransport;
import org.trefoilfs.replication.statelog.StateLogRouter;
import org.trefoilfs.replication.statelog.StateLogService;

@Timeout(40)
class RoutedClusterTest {
  private static final int WRITERS = 6;
  private static final int INCREMENTS = 50;

  @TempDir Path directory;
  private final MemoryTransport transport = new MemoryTransport();
  private final AtomicInteger acknowledged = new AtomicInteger();

  @Test
  void everyIncrementCountsOnceWhenTheLeaderDiesUnderConcurrentWriters() {
    try (Cluster cluster = new Cluster(directory, Cluster.QUICK);
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor()) {
      RatisStateLog leader = cluster.grow(3);
      cluster.logs.forEach(this::serve);
      List<CompletableFuture<Void>> writers = new ArrayList<>();
      for (int writer = 0; writer < WRITERS; writer++) {
        // One in three has a replica of its own, as a host has; the others are mounts.
        HostId host = new HostId(1 + writer % 3);
        Optional<LocalStateLog> local =
            writer % 3 == 0 ? Optional.of(cluster.logs.get(host)) : Optional.empty();
        writers.add(startWriter(writer, router(local, scheduler)));
      }
      await().until(() -> acknowledged.get() >= 60);
      HostId dead = cluster.hostOf(leader);
      transport.mute.add(service(dead));
      cluster.stop(dead);
      transport.handlers.remove(service(dead));

      CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new))
          .orTimeout(35, SECONDS)
          .join();
      assertThat(acknowledged).hasValue(WRITERS * INCREMENTS);
      StateLogRouter reader = router(Optional.empty(), scheduler);
      assertThat(number(Cluster.get(reader.query(ID, count())))).isEqualTo(WRITERS * INCREMENTS);
    }
  }

  private CompletableFuture<Void> startWriter(int writer, StateLogRouter router) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          try {
            for (int i = 0; i < INCREMENTS; i++) {
              router.submit(ID, add(new OperationId(writer, i), 1)).join();
              acknowledged.incrementAndGet();
            }
            done.complete(null);
          } catch (RuntimeException e) {
            done.completeExceptionally(e);
          }
        });
    return done;
  }

  private void serve(HostId host, RatisStateLog log) {
    StateLogService service = new StateLogService(log, id -> Optional.of(service(id)));
    transport.handlers.put(service(host), service::handle);
  }

  private StateLogRouter router(Optional<LocalStateLog> local, ScheduledExecutorService scheduler) {
    List<Address> known =
        List.of(service(new HostId(1)), service(new HostId(2)), service(new HostId(3)));
    return new StateLogRouter(
        local,
        transport,
        new StateLogRouter.Hosts(() -> known, id -> Optional.of(service(id))),
        new StateLogRouter.Timing(
            Duration.ofSeconds(30), Duration.ofMillis(500), SystemTime.INSTANCE, scheduler));
  }

  private static Address service(HostId host) {
    return new Address("host", 100 + host.value());
  }
}
