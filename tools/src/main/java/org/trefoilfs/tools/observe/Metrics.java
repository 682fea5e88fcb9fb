package org.trefoilfs.tools.observe;

import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.trefoilfs.tools.admin.Messages.Disk;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.mount.MountFigures;
import org.trefoilfs.tools.status.StatusReport;

/**
 * An observation in Prometheus' text format. Names begin with {@code trefoil_}, units are seconds
 * and bytes. What concerns the whole cluster is told by each of its hosts, as it knows it.
 */
final class Metrics {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private static final String HOST = "host";
  private static final String VOLUME = "volume";
  private static final String DIRECTORY = "directory";

  private Metrics() {}

  static byte[] text(Observation seen) {
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    cluster(seen, all);
    hosts(seen, all);
    catchingUp(seen.status().activity(), all);
    volumes(seen.status(), all);
    exposure(seen.status().activity(), all);
    mounts(seen, all);
    process(seen.process(), all);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      PrometheusTextFormatWriter.create().write(out, all.build());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // nothing is written but to memory
    }
    return out.toByteArray();
  }

  private static void cluster(Observation seen, MetricSnapshots.Builder all) {
    StatusReport.Summary cluster = seen.status().cluster();
    Gauge.of("trefoil_build", "The version that this host runs.")
        .value(1, "version", seen.version(), HOST, seen.host(), "cluster", cluster.id())
        .addTo(all);
    Gauge.of("trefoil_in_sync", "1 when every host is up and every group has all its replicas.")
        .value(cluster.inSync() ? 1 : 0)
        .addTo(all);
    StatusReport.Groups groups = cluster.groups();
    Gauge.of(
            "trefoil_placement_groups",
            "Placement groups: with all replicas, open with fewer, and those that take no writes.")
        .value(groups.inSync(), "state", "in_sync")
        .value(groups.degraded(), "state", "degraded")
        .value(groups.unavailable(), "state", "unavailable")
        .addTo(all);
    Gauge.of("trefoil_warnings", "Sentences that 'trefoil status' has for an operator.")
        .value(seen.status().warnings().size())
        .addTo(all);
  }

  private static void hosts(Observation seen, MetricSnapshots.Builder all) {
    Gauge up = Gauge.of("trefoil_host_up", "1 for hosts that are up.");
    Gauge leads = Gauge.of("trefoil_host_leads", "1 for the host that leads the state log.");
    Gauge size = Gauge.of("trefoil_disk_size_bytes", "Of the disk that a host stores on.");
    Gauge free = Gauge.of("trefoil_disk_free_bytes", "What may still be written to that disk.");
    for (HostLine host : seen.status().hosts()) {
      up.value(host.state().equals("up") ? 1 : 0, HOST, host.name());
      leads.value(host.role().equals("leader") ? 1 : 0, HOST, host.name());
      Disk disk = host.space();
      if (disk.alive()) {
        size.value(disk.total(), HOST, host.name());
        free.value(disk.usable(), HOST, host.name());
      }
    }
    Gauge held = Gauge.of("trefoil_host_groups", "Placement groups that a host holds.");
    for (Observation.Share share : seen.placement()) {
      held.value(share.primary(), HOST, share.host(), "part", "primary");
      held.value(share.inSync() - share.primary(), HOST, share.host(), "part", "backup");
      held.value(share.joining(), HOST, share.host(), "part", "joining");
    }
    up.addTo(all);
    leads.addTo(all);
    size.addTo(all);
    free.addTo(all);
    held.addTo(all);
  }

  private static void catchingUp(StatusReport.Activity activity, MetricSnapshots.Builder all) {
    Gauge groups = Gauge.of("trefoil_catch_up_groups", "Groups that a host still fetches.");
    Gauge left = Gauge.of("trefoil_catch_up_bytes", "What a host still fetches, as far as known.");
    Gauge pace = Gauge.of("trefoil_catch_up_bytes_per_second", "How fast it does.");
    for (StatusReport.CatchingUp host : activity.catchingUp()) {
      groups.value(host.groups().left(), HOST, host.host());
      left.value(host.bytes().left(), HOST, host.host());
      pace.value(host.bytesPerSecond(), HOST, host.host());
    }
    groups.addTo(all);
    left.addTo(all);
    pace.addTo(all);
  }

  private static void volumes(StatusReport status, MetricSnapshots.Builder all) {
    Gauge files = Gauge.of("trefoil_volume_files", "Files and directories of a volume.");
    Gauge bytes = Gauge.of("trefoil_volume_size_bytes", "Sizes of a volume's files, added up.");
    for (VolumeLine volume : status.volumes()) {
      if (volume.files() >= 0) {
        files.value(volume.files(), VOLUME, volume.name());
        bytes.value(volume.bytes(), VOLUME, volume.name());
      }
    }
    files.addTo(all);
    bytes.addTo(all);
  }

  private static void exposure(StatusReport.Activity activity, MetricSnapshots.Builder all) {
    Gauge seconds =
        Gauge.of(
            "trefoil_exposed_seconds",
            "Age of the oldest acknowledged write that a mount would lose if its host died now.");
    Gauge bytes =
        Gauge.of("trefoil_exposed_bytes", "What a mount would lose if its host died now.");
    Gauge worst =
        Gauge.of("trefoil_exposed_worst_seconds", "The most that this was since the mount began.");
    Gauge worstBytes =
        Gauge.of("trefoil_exposed_worst_bytes", "The most that this was since the mount began.");
    Counter slowed =
        Counter.of("trefoil_slowed_seconds", "How long writers were held at the bound.");
    for (StatusReport.Rpo mount : activity.rpo()) {
      String[] labels = {VOLUME, mount.volume(), "mount", mount.mount()};
      seconds.value(mount.seconds(), labels);
      bytes.value(mount.bytes(), labels);
      worst.value(mount.worstSeconds(), labels);
      worstBytes.value(mount.worstBytes(), labels);
      slowed.value(mount.slowedSeconds(), labels);
    }
    seconds.addTo(all);
    bytes.addTo(all);
    worst.addTo(all);
    worstBytes.addTo(all);
    slowed.addTo(all);
    Counter.of("trefoil_lossy_evictions", "Mounts that were evicted and lost acknowledged writes.")
        .value(activity.lost().size())
        .addTo(all);
  }

  private static void mounts(Observation seen, MetricSnapshots.Builder all) {
    Gauge mounted = Gauge.of("trefoil_mounted", "1 for mounts that are served.");
    for (MountLine line : seen.status().activity().mounts()) {
      mounted.value(
          line.state().equals("mounted") ? 1 : 0,
          HOST,
          line.host(),
          VOLUME,
          line.volume(),
          DIRECTORY,
          line.directory());
    }
    Gauge waiting = Gauge.of("trefoil_calls_in_progress", "Calls of a mount not answered yet.");
    Counter calls = Counter.of("trefoil_calls", "Calls of a mount that were answered.");
    Counter failed = Counter.of("trefoil_failed_calls", "Of them, with an error.");
    Counter took = Counter.of("trefoil_calls_seconds", "How long they took, all together.");
    Counter read = Counter.of("trefoil_read_bytes", "What programs were given.");
    Counter written = Counter.of("trefoil_written_bytes", "What was taken from programs.");
    for (Observation.Mount mount : seen.mounts()) {
      String[] labels = {VOLUME, mount.volume(), DIRECTORY, mount.directory()};
      MountFigures figures = mount.figures();
      waiting.value(figures.inProgress(), labels);
      read.value(figures.readBytes(), labels);
      written.value(figures.writtenBytes(), labels);
      figures
          .calls()
          .forEach(
              (operation, one) -> {
                String[] each = {
                  VOLUME, mount.volume(), DIRECTORY, mount.directory(), "operation", operation
                };
                calls.value(one.count(), each);
                failed.value(one.failures(), each);
                took.value(one.seconds(), each);
              });
    }
    mounted.addTo(all);
    waiting.addTo(all);
    calls.addTo(all);
    failed.addTo(all);
    took.addTo(all);
    read.addTo(all);
    written.addTo(all);
  }

  private static void process(ProcessFigures process, MetricSnapshots.Builder all) {
    Gauge.of("trefoil_up_seconds", "How long the daemon runs.")
        .value(process.upSeconds())
        .addTo(all);
    Counter.of("trefoil_cpu_seconds", "Processor time that the daemon has taken.")
        .value(process.cpuSeconds())
        .addTo(all);
    ProcessFigures.Memory memory = process.memory();
    Gauge.of("trefoil_memory_bytes", "Memory for Java objects, and for buffers beside them.")
        .value(memory.heapUsed(), "kind", "heap")
        .value(memory.direct(), "kind", "direct")
        .addTo(all);
    Gauge.of("trefoil_heap_limit_bytes", "What Java objects may take.")
        .value(memory.heapMost())
        .addTo(all);
    Counter.of("trefoil_collections", "Garbage collections.")
        .value(process.pauses().count())
        .addTo(all);
    Counter.of("trefoil_collections_seconds", "How long they took, all together.")
        .value(process.pauses().seconds())
        .addTo(all);
  }
}
