package org.trefoilfs.tools.observe;

import org.trefoilfs.tools.admin.Messages.Disk;
import org.trefoilfs.tools.admin.Messages.HostLine;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.mount.MountFigures;
import org.trefoilfs.tools.observe.MetricSet.Metric;
import org.trefoilfs.tools.status.StatusReport;

/**
 * An observation in Prometheus' text format. Names begin with {@code trefoil_}, units are seconds
 * and bytes. What concerns the whole cluster is told by each of its hosts, as it knows it.
 */
final class Metrics {
  private static final String HOST = "host";
  private static final String VOLUME = "volume";
  private static final String DIRECTORY = "directory";

  private Metrics() {}

  static byte[] text(Observation seen) {
    MetricSet all = new MetricSet();
    cluster(seen, all);
    hosts(seen, all);
    catchingUp(seen.status().activity(), all);
    volumes(seen.status(), all);
    exposure(seen.status().activity(), all);
    mounts(seen, all);
    process(seen.process(), all);
    return all.text();
  }

  private static void cluster(Observation seen, MetricSet all) {
    StatusReport.Summary cluster = seen.status().cluster();
    all.gauge("trefoil_build", "The version that this host runs.")
        .value(1, "version", seen.version(), HOST, seen.host(), "cluster", cluster.id());
    all.gauge("trefoil_in_sync", "1 when every host is up and every group has all its replicas.")
        .value(cluster.inSync() ? 1 : 0);
    StatusReport.Groups groups = cluster.groups();
    Metric placement =
        all.gauge(
            "trefoil_placement_groups",
            "Placement groups: with all replicas, open with fewer, and those that take no writes.");
    placement.value(groups.inSync(), "state", "in_sync");
    placement.value(groups.degraded(), "state", "degraded");
    placement.value(groups.unavailable(), "state", "unavailable");
    all.gauge("trefoil_warnings", "Sentences that 'trefoil status' has for an operator.")
        .value(seen.status().warnings().size());
  }

  private static void hosts(Observation seen, MetricSet all) {
    Metric up = all.gauge("trefoil_host_up", "1 for hosts that are up.");
    Metric leads = all.gauge("trefoil_host_leads", "1 for the host that leads the state log.");
    Metric size = all.gauge("trefoil_disk_size_bytes", "Of the disk that a host stores on.");
    Metric free = all.gauge("trefoil_disk_free_bytes", "What may still be written to that disk.");
    for (HostLine host : seen.status().hosts()) {
      up.value(host.state().equals("up") ? 1 : 0, HOST, host.name());
      leads.value(host.role().equals("leader") ? 1 : 0, HOST, host.name());
      Disk disk = host.space();
      if (disk.alive()) {
        size.value(disk.total(), HOST, host.name());
        free.value(disk.usable(), HOST, host.name());
      }
    }
    Metric held = all.gauge("trefoil_host_groups", "Placement groups that a host holds.");
    for (Observation.Share share : seen.placement()) {
      held.value(share.primary(), HOST, share.host(), "part", "primary");
      held.value(share.inSync() - share.primary(), HOST, share.host(), "part", "backup");
      held.value(share.joining(), HOST, share.host(), "part", "joining");
    }
  }

  private static void catchingUp(StatusReport.Activity activity, MetricSet all) {
    Metric groups = all.gauge("trefoil_catch_up_groups", "Groups that a host still fetches.");
    Metric left =
        all.gauge("trefoil_catch_up_bytes", "What a host still fetches, as far as known.");
    Metric pace = all.gauge("trefoil_catch_up_bytes_per_second", "How fast it does.");
    for (StatusReport.CatchingUp host : activity.catchingUp()) {
      groups.value(host.groups().left(), HOST, host.host());
      left.value(host.bytes().left(), HOST, host.host());
      pace.value(host.bytesPerSecond(), HOST, host.host());
    }
  }

  private static void volumes(StatusReport status, MetricSet all) {
    Metric files = all.gauge("trefoil_volume_files", "Files and directories of a volume.");
    Metric bytes = all.gauge("trefoil_volume_size_bytes", "Sizes of a volume's files, added up.");
    for (VolumeLine volume : status.volumes()) {
      if (volume.files() >= 0) {
        files.value(volume.files(), VOLUME, volume.name());
        bytes.value(volume.bytes(), VOLUME, volume.name());
      }
    }
  }

  private static void exposure(StatusReport.Activity activity, MetricSet all) {
    Metric seconds =
        all.gauge(
            "trefoil_exposed_seconds",
            "Age of the oldest acknowledged write that a mount would lose if its host died now.");
    Metric bytes =
        all.gauge("trefoil_exposed_bytes", "What a mount would lose if its host died now.");
    Metric worst =
        all.gauge("trefoil_exposed_worst_seconds", "The most that this was since the mount began.");
    Metric worstBytes =
        all.gauge("trefoil_exposed_worst_bytes", "The most that this was since the mount began.");
    Metric slowed =
        all.counter("trefoil_slowed_seconds", "How long writers were held at the bound.");
    for (StatusReport.Rpo mount : activity.rpo()) {
      String[] labels = {VOLUME, mount.volume(), "mount", mount.mount()};
      seconds.value(mount.seconds(), labels);
      bytes.value(mount.bytes(), labels);
      worst.value(mount.worstSeconds(), labels);
      worstBytes.value(mount.worstBytes(), labels);
      slowed.value(mount.slowedSeconds(), labels);
    }
    all.counter("trefoil_lossy_evictions", "Mounts that were evicted and lost acknowledged writes.")
        .value(activity.lost().size());
  }

  private static void mounts(Observation seen, MetricSet all) {
    Metric mounted = all.gauge("trefoil_mounted", "1 for mounts that are served.");
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
    Metric waiting = all.gauge("trefoil_calls_in_progress", "Calls of a mount not answered yet.");
    Metric calls = all.counter("trefoil_calls", "Calls of a mount that were answered.");
    Metric failed = all.counter("trefoil_failed_calls", "Of them, with an error.");
    Metric took = all.counter("trefoil_calls_seconds", "How long they took, all together.");
    Metric read = all.counter("trefoil_read_bytes", "What programs were given.");
    Metric written = all.counter("trefoil_written_bytes", "What was taken from programs.");
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
  }

  private static void process(ProcessFigures process, MetricSet all) {
    all.gauge("trefoil_up_seconds", "How long the daemon runs.").value(process.upSeconds());
    all.counter("trefoil_cpu_seconds", "Processor time that the daemon has taken.")
        .value(process.cpuSeconds());
    ProcessFigures.Memory memory = process.memory();
    Metric taken =
        all.gauge("trefoil_memory_bytes", "Memory for Java objects, and for buffers beside them.");
    taken.value(memory.heapUsed(), "kind", "heap");
    taken.value(memory.direct(), "kind", "direct");
    all.gauge("trefoil_heap_limit_bytes", "What Java objects may take.").value(memory.heapMost());
    all.counter("trefoil_collections", "Garbage collections.").value(process.pauses().count());
    all.counter("trefoil_collections_seconds", "How long they took, all together.")
        .value(process.pauses().seconds());
  }
}
