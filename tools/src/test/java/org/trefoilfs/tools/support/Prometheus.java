package org.trefoilfs.tools.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/** Metrics as Prometheus itself reads them. */
public final class Prometheus {
  private Prometheus() {}

  /** What {@code promtool check metrics} complains about; empty when nothing. */
  public static String complaints(String metrics, Path directory) {
    Path file = directory.resolve("metrics.txt");
    try {
      Files.writeString(file, metrics, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ProcessRun run = ProcessRun.of("sh", "-c", "promtool check metrics < " + file + " 2>&1");
    return run.failed() ? "status " + run.status() + ": " + run.output() : run.output();
  }

  /** The value of a sample whose name and labels, as they are written, contain all of these. */
  public static OptionalDouble value(String metrics, String name, String... labels) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .filter(line -> List.of(labels).stream().allMatch(line::contains))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .reduce(Double::sum);
  }
}
