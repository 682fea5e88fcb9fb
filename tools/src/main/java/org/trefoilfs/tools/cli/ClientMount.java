package org.trefoilfs.tools.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.tools.daemon.Background;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Volumes;
import org.trefoilfs.tools.library.ClusterAccess;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountSpec;
import org.trefoilfs.tools.mount.Registry;

/** A mount held by a process of its own, on a machine without a host. */
final class ClientMount {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration ATTACH = Duration.ofSeconds(10);

  private ClientMount() {}

  /** Starts the process and returns once it has mounted. */
  static void start(Context context, String hosts, MountSpec spec) {
    List<String> arguments = new ArrayList<>(List.of("mount", "--foreground", "--cluster", hosts));
    arguments.add("--transport=" + spec.transport());
    if (!spec.options().isEmpty()) {
      arguments.add("-o");
      arguments.add(String.join(",", spec.options()));
    }
    arguments.add(spec.volume());
    arguments.add(spec.directory());
    Registry registry = context.machine().registry();
    Background.start(
        context.jvm().longRunning(HostConfig.DEFAULT_HEAP, arguments),
        registry.output(spec.path()),
        pid ->
            registry.mountAt(spec.path()).filter(mount -> mount.process().pid() == pid).isPresent(),
        PATIENCE);
  }

  /** Mounts, and serves until the mount is taken off or the process is told to end. */
  static void serve(Context context, Target target, MountSpec spec) {
    Registry registry = context.machine().registry();
    ClusterAccess cluster = context.library().attach(target.addresses(), ATTACH);
    MountHandle handle = cluster.mount(Volumes.find(cluster, spec.volume()), spec);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  handle.close();
                  registry.removeMount(spec.path());
                  cluster.close();
                },
                "unmount"));
    registry.add(new Registry.Mount(ProcessId.current(), spec.directory(), spec.volume(), "", ""));
    try {
      handle.ended().join();
    } catch (CompletionException e) {
      throw org.trefoilfs.replication.TrefoilException.of(e);
    }
  }
}
