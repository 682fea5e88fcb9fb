package org.trefoilfs.tools.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.trefoilfs.mount.fuse.Unmounter;
import org.trefoilfs.tools.Trefoil;
import org.trefoilfs.tools.daemon.Jvm;
import org.trefoilfs.tools.mount.MountPoints;

/** A mount by a process that is no host: it outlives any of them. */
public final class ClientMountProcess implements AutoCloseable {
  private final Process process;
  private final Path point;
  private final Path output;

  private ClientMountProcess(Process process, Path point, Path output) {
    this.process = process;
    this.point = point;
    this.output = output;
  }

  /** Mounts, and returns once the mount point answers. */
  public static ClientMountProcess start(ClusterProcesses cluster, String volume, Path point) {
    try {
      Files.createDirectories(point);
      Path output = point.resolveSibling(point.getFileName() + ".out");
      List<String> arguments =
          new ArrayList<>(List.of("--cluster", cluster.addresses(), "mount", volume));
      arguments.addAll(List.of(point.toString(), "--foreground"));
      ProcessBuilder builder =
          new ProcessBuilder(
                  new Jvm(Trefoil.class.getName(), List.of()).longRunning("256m", arguments))
              .redirectErrorStream(true)
              .redirectOutput(output.toFile());
      builder.environment().put("TREFOIL_RUN", point.resolveSibling("run").toString());
      ClientMountProcess mount = new ClientMountProcess(builder.start(), point, output);
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(mount::isMounted);
      return mount;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean isMounted() throws IOException {
    if (!process.isAlive()) {
      throw new AssertionError("the mounting process has ended: " + Files.readString(output));
    }
    return MountPoints.isMounted(point);
  }

  public Path point() {
    return point;
  }

  /** What the process has logged. */
  public String log() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Override
  public void close() {
    try {
      Unmounter.unmount(point, Unmounter.Manner.LAZY);
    } catch (RuntimeException e) {
      System.err.println("left mounted: " + point + ": " + e.getMessage());
    }
    process.destroyForcibly();
    process.onExit().join();
  }
}
