package org.trefoilfs.tools.observe;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/** A metric that only grows; in the text its name ends with {@code _total}. */
final class Counter {
  private final CounterSnapshot.Builder builder;

  private Counter(String name, String help) {
    builder = CounterSnapshot.builder().name(name).help(help);
  }

  static Counter of(String name, String help) {
    return new Counter(name, help);
  }

  /**
   * @param labels names and values in turn
   */
  Counter value(double value, String... labels) {
    builder.dataPoint(
        CounterDataPointSnapshot.builder().value(value).labels(Labels.of(labels)).build());
    return this;
  }

  void addTo(MetricSnapshots.Builder all) {
    all.metricSnapshot(builder.build());
  }
}
