package org.trefoilfs.tools.observe;

import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/** A metric that goes up and down. */
final class Gauge {
  private final GaugeSnapshot.Builder builder;

  private Gauge(String name, String help) {
    builder = GaugeSnapshot.builder().name(name).help(help);
  }

  static Gauge of(String name, String help) {
    return new Gauge(name, help);
  }

  /**
   * @param labels names and values in turn
   */
  Gauge value(double value, String... labels) {
    builder.dataPoint(
        GaugeDataPointSnapshot.builder().value(value).labels(Labels.of(labels)).build());
    return this;
  }

  void addTo(MetricSnapshots.Builder all) {
    all.metricSnapshot(builder.build());
  }
}
