package org.trefoilfs.tools.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.Unmounter;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.Trefoil;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Directory;
import org.trefoilfs.tools.admin.Messages.Mounts;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.DaemonFile;
import org.trefoilfs.tools.daemon.DaemonProcess;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Jvm;
import org.trefoilfs.tools.daemon.KeptMounts;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.library.FsckResult;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.library.TrefoilLibrary;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountNote;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.status.StatusReport;

/**
 * A cluster of real daemons, each a process of its own, under a temporary directory, on free ports
 * of the loopback address. {@link #close} takes off every mount under that directory and kills
 * every process that was started here, whatever state they are in.
 *
 * <pre>{@code
 * try (ClusterProcesses cluster = ClusterProcesses.start(directory, 3)) {
 *   cluster.createVolume("work", 3);
 *   Path first = cluster.mount(1, "work");
 *   cluster.kill(2);
 *   ...
 *   cluster.restart(2);
 *   cluster.awaitInSync();
 * }
 * }</pre>
 */
public final class ClusterProcesses implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration ANSWER = Duration.ofSeconds(60);

  /** A busy machine takes minutes for it; longer is a hang. */
  private static final Duration HEALING = Duration.ofMinutes(5);

  private final Path directory;
  private final Library library = new TrefoilLibrary();
  private final Machines machines;
  private final Map<Integer, HostConfig> configs = new TreeMap<>();
  private final List<ProcessHandle> started = new ArrayList<>();

  private ClusterProcesses(Path directory, Machines machines) {
    this.directory = directory;
    this.machines = machines;
  }

  /** Hosts 1 to {@code hosts}; the first founds the cluster, the others join it. */
  public static ClusterProcesses start(Path directory, int hosts) {
    return start(directory, hosts, Machines.here(hosts));
  }

  /** The same, elsewhere than on the loopback address. */
  public static ClusterProcesses start(Path directory, int hosts, Machines machines) {
    ClusterProcesses cluster = new ClusterProcesses(directory, machines);
    try {
      for (int host = 1; host <= hosts; host++) {
        cluster.configure(host, machines.listen(host), machines.settings(host));
      }
      cluster.restart(1);
      cluster.everywhere(cluster.configs.keySet().stream().skip(1).toList());
      return cluster;
    } catch (RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  /** Makes a volume of a replica at each host, and mounts it at each; closes all if that fails. */
  public ClusterProcesses mountedEverywhere(String volume, CommitMode commit) {
    try {
      createVolume(volume, configs.size(), commit);
      configs.keySet().forEach(host -> mount(host, volume));
      return this;
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void configure(int host, String listen, HostConfig more) {
    HostConfig config =
        more.with(Key.DATA, data(host).toString())
            .with(Key.NAME, "host" + host)
            .with(Key.HEAP, "256m")
            .with(Key.LISTEN, listen);
    configs.put(
        host,
        host == 1 ? config : config.with(Key.JOIN, configs.get(1).get(Key.LISTEN).orElseThrow()));
  }

  /** Adds a host to the running cluster, for instance a witness. */
  public void add(int host, HostConfig more) {
    configure(host, Machines.here(1).listen(1), more);
    restart(host);
  }

  /** Starts a host that does not run, and returns when it serves. */
  public void restart(int host) {
    DaemonFile file = daemons(host).detach(configs.get(host));
    synchronized (started) {
      ProcessHandle.of(file.process().pid()).ifPresent(started::add);
    }
  }

  /** Starts all hosts that do not run, at once: members of a cluster need each other to serve. */
  public void restartAll() {
    everywhere(configs.keySet().stream().filter(host -> !isRunning(host)).toList());
  }

  private void everywhere(List<Integer> hosts) {
    hosts.stream()
        .map(
            host ->
                CompletableFuture.runAsync(
                    () -> restart(host), task -> Thread.ofVirtual().start(task)))
        .toList()
        .forEach(CompletableFuture::join);
  }

  /** kill -9, and returns when the process is gone. */
  public void kill(int host) {
    DaemonFile file = file(host);
    ProcessHandle.of(file.process().pid()).ifPresent(ProcessHandle::destroyForcibly);
    Awaitility.await().until(() -> !file.process().lives());
  }

  /** kill -9 of every host that runs, at once; returns when all are gone. */
  public void killAll() {
    List<ProcessHandle> running = processes(configs.keySet());
    running.forEach(ProcessHandle::destroyForcibly);
    running.forEach(process -> process.onExit().join());
  }

  /**
   * These hosts' machines lose their power at once: processes, mounts, and what the disks of their
   * directories had not stored. Returns when the disks are mounted again, and no host runs there.
   */
  public void losePower(PowerDisks disks, Collection<Integer> hosts) {
    List<ProcessHandle> running = processes(hosts);
    running.forEach(ProcessHandle::destroyForcibly);
    hosts.forEach(host -> PowerDisks.cut(data(host)));
    running.forEach(process -> process.onExit().join());
    hosts.forEach(host -> detachMounts(mountPoint(host)));
    hosts.forEach(host -> disks.restore(data(host)));
  }

  private List<ProcessHandle> processes(Collection<Integer> hosts) {
    return hosts.stream()
        .filter(this::isRunning)
        .flatMap(host -> ProcessHandle.of(pid(host)).stream())
        .toList();
  }

  /** A host that does not run is gone for good, and its disk with it. */
  public void lose(int host) {
    configs.remove(host);
    try (Stream<Path> files = Files.walk(data(host))) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** A clean stop. */
  public void stop(int host) {
    daemons(host).stop(data(host));
  }

  /** A clean stop before another start: mounts of the kernel transport stay. */
  public void stopKeepingMounts(int host) {
    daemons(host).stop(data(host), Mounts.KEPT);
  }

  public boolean isRunning(int host) {
    return DaemonFile.load(data(host)).filter(DaemonFile::isRunning).isPresent();
  }

  public long pid(int host) {
    return file(host).process().pid();
  }

  public Address address(int host) {
    return file(host).addresses().getFirst();
  }

  /** Of all hosts, as {@code --cluster} takes them. */
  public String addresses() {
    return configs.keySet().stream()
        .map(host -> address(host).toString())
        .collect(java.util.stream.Collectors.joining(","));
  }

  public Path data(int host) {
    return directory.resolve("host" + host);
  }

  public Path mountPoint(int host) {
    return directory.resolve("mnt" + host);
  }

  /** Under which a host mounts volumes for containers. */
  public Path containerMounts(int host) {
    return data(host).resolve("docker");
  }

  private DaemonProcess daemons(int host) {
    return new DaemonProcess(library, new Jvm(Trefoil.class.getName(), machines.enter(host)));
  }

  private DaemonFile file(int host) {
    return DaemonFile.load(data(host)).orElseThrow();
  }

  public void createVolume(String name, int replicas) {
    createVolume(name, replicas, CommitMode.SYNC);
  }

  public void createVolume(String name, int replicas, CommitMode commit) {
    ask(1, Verb.VOLUME_CREATE, new VolumeArgument(name, replicas, commit), VolumeLine.class);
  }

  /** Mounts a volume through a host, and returns where. The mount ends with its daemon. */
  public Path mount(int host, String volume, String... options) {
    return mount(host, volume, FuseTransportKind.LIBFUSE, options);
  }

  /** The same through this transport. */
  public Path mount(int host, String volume, FuseTransportKind transport, String... options) {
    Path point = mountPoint(host);
    try {
      Files.createDirectories(point);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    MountSpec spec = new MountSpec(volume, point.toString(), List.of(options), transport);
    ask(host, Verb.MOUNT, spec, Nothing.class);
    return point;
  }

  public void unmount(int host) {
    ask(host, Verb.UNMOUNT, new Directory(mountPoint(host).toString()), Nothing.class);
  }

  public FsckResult fsck(int host) {
    return ask(host, Verb.FSCK, new Nothing(), FsckResult.class);
  }

  public StatusReport status(int host) {
    return ask(host, Verb.STATUS, new Nothing(), StatusReport.class);
  }

  /** Waits until every host says that all is in sync and its mounts are mounted. */
  public void awaitInSync() {
    Awaitility.await()
        .atMost(HEALING)
        .pollInterval(Duration.ofMillis(100))
        .ignoreExceptions()
        .until(() -> configs.keySet().stream().allMatch(host -> isInSync(status(host))));
  }

  private static boolean isInSync(StatusReport status) {
    return status.cluster().inSync()
        && status.activity().mounts().stream().allMatch(mount -> mount.state().equals("mounted"));
  }

  /** Sends a verb to one host. */
  public <T> T ask(int host, Verb verb, Object argument, Class<T> answer) {
    try (AdminClient client =
        new AdminClient(library.connect(List.of(address(host)), CONNECT), ANSWER)) {
      return client.ask(verb, argument, answer);
    }
  }

  /** Never fails: what cannot be cleaned up must not hide what went wrong before. */
  @Override
  public void close() {
    detachMounts(directory);
    configs.keySet().forEach(host -> started.addAll(daemonsOf(host)));
    started.forEach(ProcessHandle::destroyForcibly);
    started.forEach(process -> process.onExit().join());
    configs.keySet().forEach(host -> MountNote.abandon(data(host), mountPoint(host)));
    configs.keySet().forEach(host -> endKeepers(data(host)));
    detachMounts(directory);
    configs.keySet().forEach(host -> ContainerMounts.remove(containerMounts(host)));
  }

  private static void endKeepers(Path data) {
    for (MountSpec spec : KeptMounts.remembered(data)) {
      MountNote.abandon(data, spec.path());
    }
  }

  /** Also one that never got so far as to say that it serves. */
  private List<ProcessHandle> daemonsOf(int host) {
    String option = '\0' + Key.DATA.option() + "=" + data(host) + '\0';
    return ProcessHandle.allProcesses()
        .filter(process -> commandLine(process.pid()).contains(option))
        .toList();
  }

  /** Words that end in a zero each, see proc_pid_cmdline(5); nothing of a process that is gone. */
  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private static void detachMounts(Path directory) {
    for (MountTable.Mount mount : MountTable.all().reversed()) {
      if (mount.type().startsWith("fuse") && Path.of(mount.mountPoint()).startsWith(directory)) {
        try {
          Unmounter.unmount(Path.of(mount.mountPoint()), Unmounter.Manner.LAZY);
        } catch (RuntimeException e) {
          System.err.println("left mounted: " + mount.mountPoint() + ": " + e.getMessage());
        }
      }
    }
  }
}
