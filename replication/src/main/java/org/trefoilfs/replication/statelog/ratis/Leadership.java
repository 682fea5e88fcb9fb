package org.trefoilfs.replication.statelog.ratis;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.LeaderState;

/** Who leads, told in order to those who asked, on a thread of its own. */
final class Leadership implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

  private final TimeSource time;
  private final List<Consumer<LeaderState>> listeners = new CopyOnWriteArrayList<>();
  private final ExecutorService teller;
  private LeaderState current;

  Leadership(HostId self, TimeSource time) {
    this.time = time;
    this.current = new LeaderState(false, Optional.empty(), 0, time.nanoTime());
    this.teller =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("statelog-" + self + "-leadership").factory());
  }

  synchronized LeaderState current() {
    return current;
  }

  /** Tells the present state first, then every change. */
  synchronized void listen(Consumer<LeaderState> listener) {
    LeaderState now = current;
    tell(() -> listener.accept(now));
    listeners.add(listener);
  }

  synchronized void change(boolean leading, Optional<HostId> leader, long term) {
    if (leading == current.leading() && leader.equals(current.leader()) && term == current.term()) {
      return;
    }
    boolean turned = leading != current.leading() || term != current.term();
    long since = turned ? time.nanoTime() : current.sinceNanos();
    LeaderState now = new LeaderState(leading, leader, term, since);
    current = now;
    tell(() -> listeners.forEach(listener -> listener.accept(now)));
  }

  private void tell(Runnable news) {
    try {
      teller.execute(
          () -> {
            try {
              news.run();
            } catch (RuntimeException e) {
              LOG.error("a listener to the state log's leadership failed", e);
            }
          });
    } catch (RejectedExecutionException e) {
      LOG.debug("closed; nobody is told any more");
    }
  }

  @Override
  public void close() {
    teller.shutdown();
  }
}
