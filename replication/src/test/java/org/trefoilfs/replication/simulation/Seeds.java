package org.trefoilfs.replication.simulation;

import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;

/** Plays many seeds on all cores. */
final class Seeds {
  private final long from;
  private final long count;
  private final LongFunction<String> run;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong done = new AtomicLong();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final TreeMap<Long, String> failures = new TreeMap<>();
  private final int failuresWanted;

  /**
   * @param run from a seed to what did not hold, or null
   * @param failuresWanted after so many failures no more seeds are begun
   */
  Seeds(long from, long count, LongFunction<String> run, int failuresWanted) {
    this.from = from;
    this.count = count;
    this.run = run;
    this.failuresWanted = failuresWanted;
  }

  /** What did not hold, by seed. */
  TreeMap<Long, String> play() {
    Thread[] threads = new Thread[Runtime.getRuntime().availableProcessors()];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = Thread.ofPlatform().daemon().name("simulate-" + i).start(this::work);
    }
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      stop.set(true);
      Thread.currentThread().interrupt();
    }
    return failures;
  }

  /** Runs ended so far. */
  long done() {
    return done.get();
  }

  private void work() {
    for (long index = next.getAndIncrement(); index < count; index = next.getAndIncrement()) {
      if (stop.get()) {
        return;
      }
      String failure;
      try {
        failure = run.apply(from + index);
      } catch (Throwable e) {
        failure = e.toString();
      }
      done.incrementAndGet();
      if (failure != null) {
        failed(from + index, failure);
      }
    }
  }

  /** The failures so far, by seed: a long run need not be over to be looked into. */
  synchronized TreeMap<Long, String> failures() {
    return new TreeMap<>(failures);
  }

  private synchronized void failed(long seed, String failure) {
    failures.put(seed, failure);
    if (failures.size() >= failuresWanted) {
      stop.set(true);
    }
  }
}
