package org.trefoilfs.mount.testing;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.trefoilfs.replication.statelog.StateLog;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.lease.LeasedReply;

/** Holds commits back while its gate is shut, as a slow majority does; counts them. */
public final class GatedStateLog implements StateLog {
  private final StateLog log;
  private final AtomicInteger submitted = new AtomicInteger();
  private final AtomicInteger asked = new AtomicInteger();
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

  /** Questions of sessions. */
  public int asked() {
    return asked.get();
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

  @Override
  public CompletableFuture<LeasedReply> lease(
      byte module, byte[] query, long session, boolean wanted) {
    asked.incrementAndGet();
    return log.lease(module, query, session, wanted);
  }

  @Override
  public CompletableFuture<LeaseNews> keepLeases(LeaseReport report) {
    return log.keepLeases(report);
  }
}
