package org.trefoilfs.mount.testing;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.trefoilfs.replication.statelog.StateLog;

/** Holds commits back while its gate is shut, as a slow majority does; counts them. */
public final class GatedStateLog implements StateLog {
  private final StateLog log;
  private final AtomicInteger submitted = new AtomicInteger();
  private volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);

  public GatedStateLog(StateLog log) {
    this.log = log;
  }

  public void shut() {
    gate = new CompletableFuture<>();
  }

  public void open() {
    CompletableFuture<Void> waiting = gate;
    gate = CompletableFuture.completedFuture(null);
    waiting.complete(null);
  }

  public int submitted() {
    return submitted.get();
  }

  @Override
  public CompletableFuture<byte[]> submit(byte module, byte[] command) {
    submitted.incrementAndGet();
    return gate.thenCompose(open -> log.submit(module, command));
  }

  @Override
  public CompletableFuture<byte[]> query(byte module, byte[] query) {
    return log.query(module, query);
  }
}
