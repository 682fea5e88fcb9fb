package org.trefoilfs.tools.observe;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.transport.Message.CatchUp;
import org.trefoilfs.tools.admin.Messages.Disk;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.mount.MountFigures;
import org.trefoilfs.tools.status.StatusReport;
import org.trefoilfs.tools.support.Prometheus;

final class MetricsTest {
  private static final long GIB = 1L << 30;

  @TempDir Path directory;

  static Observation observation(String volume) {
    return new Observation(
        "host1",
        "1.2.3",
        new StatusReport(
            new StatusReport.Summary("5d0f3c1e", false, new StatusReport.Groups(64, 60, 3, 1)),
            List.of(
                host("h1", "up", "leader", new Disk(true, 100 * GIB, 42 * GIB)),
                host("h2", "down", "voter", new Disk(false, 0, 0))),
            List.of(
                new VolumeLine(volume, 3, 2, "async", 2000, 64 << 20, 12, 4096, List.of()),
                new VolumeLine("uncounted", 3, 2, "sync", 2000, 64 << 20, -1, -1, List.of())),
            new StatusReport.Activity(
                List.of(
                    new StatusReport.CatchingUp(
                        "host2",
                        new CatchUp.Groups(5, 1, 64),
                        new CatchUp.Bytes(10, 20, 30),
                        7,
                        2)),
                List.of(),
                List.of(new MountLine("/mnt/a", volume, "host1", "mounted", "")),
                List.of(
                    new StatusReport.Rpo(
                        volume, "host1:/mnt/a", 0.25, 8192, 1.5, 65536, 2, 64 << 20, 3.5, 0.1)),
                List.of(),
                List.of()),
            List.of("two hosts cannot ...")),
        List.of(new Observation.Share("host1", 20, 60, 0), new Observation.Share("host2", 0, 0, 5)),
        List.of(
            new Observation.Mount(
                "/mnt/a",
                volume,
                new MountFigures(
                    4096, 12288, 2, Map.of("lookup", new MountFigures.Calls(100, 40, 0.5))))),
        ProcessFigures.ofThisProcess());
  }

  private static HostLine host(String id, String state, String role, Disk disk) {
    return new HostLine(id, "host" + id.substring(1), "10.0.0.1:7440", state, role, disk);
  }

  private static String text(Observation seen) {
    return new String(Metrics.text(seen), UTF_8);
  }

  @Test
  void prometheusHasNothingToComplainAbout() {
    assertThat(Prometheus.complaints(text(observation("work")), directory)).isEmpty();
  }

  @Test
  void figuresAreThoseOfTheObservation() {
    String text = text(observation("work"));
    assertThat(Prometheus.value(text, "trefoil_placement_groups", "state=\"degraded\""))
        .hasValue(3);
    assertThat(Prometheus.value(text, "trefoil_host_up", "host=\"host1\"")).hasValue(1);
    assertThat(Prometheus.value(text, "trefoil_host_up", "host=\"host2\"")).hasValue(0);
    assertThat(Prometheus.value(text, "trefoil_disk_free_bytes", "host=\"host1\""))
        .hasValue(42 * GIB);
    assertThat(Prometheus.value(text, "trefoil_disk_free_bytes", "host=\"host2\""))
        .as("of a disk that is not heard of")
        .isEmpty();
    assertThat(Prometheus.value(text, "trefoil_host_groups", "host=\"host1\"", "backup"))
        .hasValue(40);
    assertThat(Prometheus.value(text, "trefoil_catch_up_bytes", "host=\"host2\"")).hasValue(10);
    assertThat(Prometheus.value(text, "trefoil_volume_files", "volume=\"work\"")).hasValue(12);
    assertThat(Prometheus.value(text, "trefoil_volume_files", "volume=\"uncounted\"")).isEmpty();
    assertThat(Prometheus.value(text, "trefoil_exposed_seconds", "host1:/mnt/a")).hasValue(0.25);
    assertThat(Prometheus.value(text, "trefoil_written_bytes_total", "/mnt/a")).hasValue(12288);
    assertThat(Prometheus.value(text, "trefoil_calls_total", "operation=\"lookup\"")).hasValue(100);
  }

  @Test
  void whatNamesContainIsQuoted() {
    String text = text(observation("a \"quoted\"\n\\ name"));
    assertThat(text).contains("volume=\"a \\\"quoted\\\"\\n\\\\ name\"");
    assertThat(Prometheus.complaints(text, directory)).isEmpty();
  }
}
