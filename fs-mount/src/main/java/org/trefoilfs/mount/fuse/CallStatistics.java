package org.trefoilfs.mount.fuse;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;

/** Counts and times the calls of one mount. */
public final class CallStatistics {
  private final Map<Operation, Counters> counters = new EnumMap<>(Operation.class);
  private final LongAdder inProgress = new LongAdder();

  public CallStatistics() {
    for (Operation operation : Operation.values()) {
      counters.put(operation, new Counters());
    }
  }

  void began() {
    inProgress.increment();
  }

  void ended(Operation operation, long nanos, long bytes, int errno) {
    inProgress.decrement();
    Counters of = counter(operation);
    of.calls.increment();
    of.totalNanos.add(nanos);
    of.longestNanos.accumulate(nanos);
    if (bytes != 0) {
      of.bytes.add(bytes);
    }
    if (errno != 0) {
      of.failures.increment();
    }
  }

  /** Calls that have not been answered yet. */
  public long inProgress() {
    return inProgress.sum();
  }

  public Figures of(Operation operation) {
    Counters of = counter(operation);
    return new Figures(
        of.calls.sum(),
        of.failures.sum(),
        of.bytes.sum(),
        of.totalNanos.sum(),
        of.longestNanos.get());
  }

  /** The figures of every operation that has been called. */
  public Map<Operation, Figures> snapshot() {
    Map<Operation, Figures> result = new EnumMap<>(Operation.class);
    for (Operation operation : Operation.values()) {
      Figures figures = of(operation);
      if (figures.calls() > 0) {
        result.put(operation, figures);
      }
    }
    return result;
  }

  private Counters counter(Operation operation) {
    return java.util.Objects.requireNonNull(counters.get(operation));
  }

  /**
   * @param failures calls that were answered with an error, "no such file" included
   * @param bytes of files that they brought or took
   * @param longestNanos the longest call since the mount
   */
  public record Figures(
      long calls, long failures, long bytes, long totalNanos, long longestNanos) {}

  private static final class Counters {
    final LongAdder calls = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder bytes = new LongAdder();
    final LongAdder totalNanos = new LongAdder();
    final LongAccumulator longestNanos = new LongAccumulator(Math::max, 0);
  }
}
