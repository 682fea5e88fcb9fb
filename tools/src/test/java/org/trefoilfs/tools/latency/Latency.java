package org.trefoilfs.tools.latency;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.host.Client;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.volume.Volume;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.status.Table;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.NetworkNamespaces;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Commit latency of three hosts in network namespaces of their own, all on one disk: writes of 4
 * KiB and 1 MiB, with and without fsync, one at a time and 16 at once. Below the mount, by a client
 * that is no host, and through the mount of the first host. Regions are written before, so that
 * what is measured overwrites.
 */
@Command(
    name = "latency",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures how long writes take until they are committed, and synced.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0: all was measured", "1: something failed", "2: usage"})
public final class Latency implements Callable<Integer> {
  private static final int HOSTS = 3;
  private static final List<Integer> DEPTHS = List.of(1, 16);
  private static final Load.Shape WARM_UP = new Load.Shape(4 << 10, true);

  /** Objects that no namespace has named: those of files are counted from 1. */
  private static final long FIRST_OBJECT = 1L << 40;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @Option(names = "--seconds", defaultValue = "5", description = "For each figure; 5 unless given.")
  int seconds;

  @Option(
      names = "--warm-up",
      defaultValue = "20",
      paramLabel = "SECONDS",
      description =
          "Of small synced writes, before the figures of each path: the first minutes of a host"
              + " are those of its compiler; 20 unless given.")
  int warmUp;

  @Option(
      names = "--mode",
      defaultValue = "both",
      paramLabel = "sync|async|both",
      description = "Commit mode of the volume; both unless given.")
  String mode = "both";

  @Option(
      names = "--path",
      split = ",",
      defaultValue = "volume,mount",
      paramLabel = "volume|mount",
      description = "Below the mount, through it, or both; ${DEFAULT-VALUE} unless given.")
  List<PathKind> paths = List.of();

  @Option(
      names = "--bytes",
      split = ",",
      defaultValue = "4096,1048576",
      description = "Of a write, at most 1 MiB; ${DEFAULT-VALUE} unless given.")
  List<Integer> sizes = List.of();

  @Spec CommandSpec spec;

  @Option(
      names = "--transport",
      defaultValue = "AUTO",
      description = "Of the mount: ${COMPLETION-CANDIDATES}; ${DEFAULT-VALUE} unless given.")
  FuseTransportKind transport = FuseTransportKind.AUTO;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there, too.")
  @Nullable Path json;

  @Option(
      names = "--dir",
      description = "Where the hosts store; a new temporary directory unless given.")
  @Nullable Path directory;

  private final List<Result> results = new ArrayList<>();

  /** Where writes are made. */
  enum PathKind {
    VOLUME,
    MOUNT
  }

  /** The file of {@link #json}. */
  record Report(int processors, String load, int seconds, int warmUp, List<Result> results) {}

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new Latency())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    if (!sizes.stream().allMatch(bytes -> bytes > 0 && bytes <= Load.MAX_BYTES)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--bytes: from 1 to %d, not %s".formatted(Load.MAX_BYTES, sizes));
    }
    List<CommitMode> modes = modes();
    Path root = directory == null ? Files.createTempDirectory("latency") : directory;
    String load = Files.readString(Path.of("/proc/loadavg")).strip();
    int processors = Runtime.getRuntime().availableProcessors();
    System.out.printf(
        "latency: three hosts on %d processors, in %s; load before: %s%n", processors, root, load);
    try (NetworkNamespaces network = NetworkNamespaces.create(HOSTS, HostConfig.empty());
        ClusterProcesses cluster = ClusterProcesses.start(root, HOSTS, network)) {
      cluster.awaitInSync();
      for (CommitMode each : modes) {
        measure(cluster, each);
      }
    } finally {
      if (directory == null) {
        new ProcessBuilder("rm", "-rf", root.toString()).inheritIO().start().waitFor();
      }
    }
    System.out.println(table());
    if (json != null) {
      Files.write(json, Json.bytes(new Report(processors, load, seconds, warmUp, results)));
    }
    return 0;
  }

  private List<CommitMode> modes() {
    return mode.equals("both")
        ? List.of(CommitMode.values())
        : List.of(CommitMode.valueOf(mode.toUpperCase(Locale.ROOT)));
  }

  private void measure(ClusterProcesses cluster, CommitMode commit) throws IOException {
    String name = commit.name().toLowerCase(Locale.ROOT);
    try {
      cluster.createVolume(name, HOSTS, commit);
    } catch (TrefoilException e) {
      System.out.printf("%s: no such volume can be made: %s%n", name, e.getMessage());
      return;
    }
    if (paths.contains(PathKind.VOLUME)) {
      try (Client client = Client.connect(List.of(cluster.address(1)), PATIENCE)) {
        Volume volume = client.openVolume(volume(client, name), () -> 0);
        measure(name, "volume", worker -> new ObjectTarget(volume, FIRST_OBJECT + worker));
      }
    }
    if (paths.contains(PathKind.MOUNT)) {
      Path mount = cluster.mount(1, name, transport);
      measure(name, "mount", worker -> new FileTarget(mount.resolve("worker-" + worker)));
      cluster.unmount(1);
    }
  }

  private static VolumeInfo volume(Client client, String name) {
    return client.view().volumesById().values().stream()
        .filter(volume -> volume.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private interface Opening {
    Target open(int worker) throws IOException;
  }

  private void measure(String commit, String path, Opening opening) throws IOException {
    int most = DEPTHS.getLast();
    List<Target> targets = new ArrayList<>();
    try {
      for (int worker : IntStream.range(0, most).toArray()) {
        targets.add(opening.open(worker));
      }
      Load.fill(targets);
      new Load(targets, Duration.ofSeconds(warmUp)).run(WARM_UP);
      for (Load.Shape shape : shapes()) {
        for (int depth : DEPTHS) {
          Load load = new Load(targets.subList(0, depth), Duration.ofSeconds(seconds));
          Result result = Result.of(commit, path, depth, shape, load.run(shape));
          results.add(result);
          System.out.println(line(result));
        }
      }
    } finally {
      for (Target target : targets) {
        target.close();
      }
    }
  }

  private List<Load.Shape> shapes() {
    return sizes.stream()
        .flatMap(bytes -> Stream.of(new Load.Shape(bytes, true), new Load.Shape(bytes, false)))
        .toList();
  }

  private static String line(Result result) {
    return "%s %s %s of %d bytes, depth %d: p50 %.0f us, p99 %.0f us, %.0f/s"
        .formatted(
            result.mode(),
            result.path(),
            result.call(),
            result.bytes(),
            result.depth(),
            result.p50Micros(),
            result.p99Micros(),
            result.perSecond());
  }

  private String table() {
    Table table =
        new Table("mode", "path", "call", "bytes", "depth", "p50 us", "p99 us", "per s", "times");
    for (Result each : results) {
      table.row(
          each.mode(),
          each.path(),
          each.call(),
          Integer.toString(each.bytes()),
          Integer.toString(each.depth()),
          "%.0f".formatted(each.p50Micros()),
          "%.0f".formatted(each.p99Micros()),
          "%.0f".formatted(each.perSecond()),
          "%.1f".formatted(each.ratioToDepthOne(results)));
    }
    return table.render();
  }
}
