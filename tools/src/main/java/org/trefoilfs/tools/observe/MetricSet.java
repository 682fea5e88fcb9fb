package org.trefoilfs.tools.observe;

import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Metrics in the making; those that get no value are left out of the text. */
final class MetricSet {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private final List<Supplier<? extends MetricSnapshot>> all = new ArrayList<>();

  /** Takes the values of one metric. */
  @FunctionalInterface
  interface Metric {
    /**
     * @param labels names and values in turn
     */
    void value(double value, String... labels);
  }

  /** A metric that goes up and down. */
  Metric gauge(String name, String help) {
    GaugeSnapshot.Builder builder = GaugeSnapshot.builder().name(name).help(help);
    all.add(builder::build);
    return (value, labels) ->
        builder.dataPoint(
            GaugeDataPointSnapshot.builder().value(value).labels(Labels.of(labels)).build());
  }

  /** A metric that only grows; in the text its name ends with {@code _total}. */
  Metric counter(String name, String help) {
    CounterSnapshot.Builder builder = CounterSnapshot.builder().name(name).help(help);
    all.add(builder::build);
    return (value, labels) ->
        builder.dataPoint(
            CounterDataPointSnapshot.builder().value(value).labels(Labels.of(labels)).build());
  }

  /** In Prometheus' text format. */
  byte[] text() {
    MetricSnapshots.Builder snapshots = MetricSnapshots.builder();
    all.forEach(metric -> snapshots.metricSnapshot(metric.get()));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      PrometheusTextFormatWriter.create().write(out, snapshots.build());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // nothing is written but to memory
    }
    return out.toByteArray();
  }
}
