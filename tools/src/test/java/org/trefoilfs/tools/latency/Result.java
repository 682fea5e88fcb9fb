package org.trefoilfs.tools.latency;

import java.util.List;

/**
 * What was measured of one kind of call.
 *
 * @param path {@code volume}: below the mount; {@code mount}: through it
 * @param call {@code write}, or {@code write+fsync} for both in one
 * @param depth calls under way at once
 */
record Result(
    String mode,
    String path,
    String call,
    int bytes,
    int depth,
    long calls,
    double p50Micros,
    double p99Micros,
    double worstMicros,
    double perSecond) {
  static Result of(String mode, String path, int depth, Load.Shape shape, Load.Sample sample) {
    return new Result(
        mode,
        path,
        shape.synced() ? "write+fsync" : "write",
        shape.bytes(),
        depth,
        sample.nanos().length,
        micros(sample.percentile(0.5)),
        micros(sample.percentile(0.99)),
        micros(sample.percentile(1)),
        sample.perSecond());
  }

  private static double micros(long nanos) {
    return Math.round(nanos / 100.0) / 10.0;
  }

  private boolean isOfTheSameKindAs(Result other) {
    return mode.equals(other.mode)
        && path.equals(other.path)
        && call.equals(other.call)
        && bytes == other.bytes;
  }

  /** How many times the rate that the same calls had one after the other; 1 for those. */
  double ratioToDepthOne(List<Result> all) {
    return all.stream()
        .filter(one -> one.depth == 1 && isOfTheSameKindAs(one))
        .mapToDouble(one -> perSecond / one.perSecond)
        .findFirst()
        .orElse(Double.NaN);
  }
}
