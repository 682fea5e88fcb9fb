package org.trefoilfs.mount.namespace;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.StateModule;
import org.trefoilfs.replication.statelog.lease.Change;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.lease.LeasedReply;
import org.trefoilfs.replication.statelog.lease.ReadLeases;

/**
 * A state log of one host without a disk: applies and answers on the caller's thread, one at a
 * time. What is leased is kept as by a leader.
 */
public final class InMemoryStateLog implements StateLog {
  private record Hosted(StateModule module, InMemoryKeyValue state) {}

  private static final ScheduledExecutorService TICKER =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("in-memory leases").factory());

  private final Map<Byte, Hosted> modules = new HashMap<>();
  private final ReadLeases leases = new ReadLeases(SystemTime.INSTANCE);
  private boolean ticking;

  public InMemoryStateLog(StateModule... modules) {
    for (StateModule module : modules) {
      InMemoryKeyValue state = new InMemoryKeyValue();
      module.restored(state);
      this.modules.put(module.id(), new Hosted(module, state));
    }
    leases.startLeading(1, Duration.ZERO);
  }

  /** The rows of a module. */
  public InMemoryKeyValue state(byte module) {
    return hosted(module).state;
  }

  @Override
  public CompletableFuture<byte[]> submit(byte module, byte[] command) {
    List<CompletableFuture<?>> forgotten = new ArrayList<>();
    CompletableFuture<byte[]> applied;
    synchronized (this) {
      applied = future(() -> apply(hosted(module), command, forgotten));
    }
    CompletableFuture<?> all = CompletableFuture.allOf(forgotten.toArray(CompletableFuture[]::new));
    return applied.thenCompose(reply -> all.thenApply(known -> reply));
  }

  @Override
  public CompletableFuture<byte[]> query(byte module, byte[] query) {
    return lease(module, query, 0, false).thenApply(LeasedReply::reply);
  }

  @Override
  public CompletableFuture<LeasedReply> lease(
      byte module, byte[] query, long session, boolean wanted) {
    long before = leases.changes();
    List<Long> read = new ArrayList<>();
    CompletableFuture<byte[]> answer;
    synchronized (this) {
      answer =
          future(
              () -> {
                Hosted hosted = hosted(module);
                return hosted.module.query(new Listening(hosted.state, read::add, null), query);
              });
    }
    ReadLeases.Verdict verdict = leases.read(session, wanted, read, before);
    return answer.thenCompose(
        reply -> verdict.clear().thenApply(known -> new LeasedReply(reply, verdict.generation())));
  }

  @Override
  public CompletableFuture<LeaseNews> keepLeases(LeaseReport report) {
    synchronized (this) {
      if (!ticking) {
        ticking = true;
        TICKER.scheduleAtFixedRate(leases::tick, 25, 25, TimeUnit.MILLISECONDS);
      }
    }
    return leases.keep(report);
  }

  /** Tells what is read and changed of that which may be leased. */
  private record Listening(
      InMemoryKeyValue rows, LongConsumer reads, @Nullable Consumer<Change> changes)
      implements KeyValue {
    @Override
    public void reads(long lease) {
      reads.accept(lease);
    }

    @Override
    public void changes(Change change) {
      Objects.requireNonNull(changes).accept(change);
    }

    @Override
    public byte[] get(byte[] key) {
      return rows.get(key);
    }

    @Override
    public void scan(byte[] prefix, byte[] from, Visitor visitor) {
      rows.scan(prefix, from, visitor);
    }

    @Override
    public void put(byte[] key, byte[] value) {
      rows.put(key, value);
    }

    @Override
    public void delete(byte[] key) {
      rows.delete(key);
    }
  }

  private byte[] apply(Hosted hosted, byte[] command, List<CompletableFuture<?>> forgotten) {
    hosted.state.begin();
    byte[] reply;
    try {
      reply =
          hosted.module.apply(
              new Listening(
                  hosted.state, any -> {}, change -> forgotten.add(leases.changing(change))),
              command);
    } catch (TrefoilException refused) {
      hosted.state.rollback();
      throw refused;
    }
    hosted.module.applied(hosted.state);
    return reply;
  }

  private Hosted hosted(byte module) {
    Hosted hosted = modules.get(module);
    if (hosted == null) {
      throw new TrefoilException(Reason.INVALID, "no module " + module + " on this log");
    }
    return hosted;
  }

  private static CompletableFuture<byte[]> future(Supplier<byte[]> work) {
    try {
      return CompletableFuture.completedFuture(work.get());
    } catch (RuntimeException failed) {
      return CompletableFuture.failedFuture(failed);
    }
  }
}
