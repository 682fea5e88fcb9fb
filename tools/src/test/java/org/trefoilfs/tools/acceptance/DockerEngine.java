package org.trefoilfs.tools.acceptance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.trefoilfs.tools.support.ProcessRun;

/**
 * A real dockerd, with everything of its own: network namespace, mount namespace (in which the
 * plugins of one host are all that there are), data, containerd, image. {@link #close} removes its
 * containers and ends every process of it.
 */
final class DockerEngine implements AutoCloseable {
  /** The one image: busybox, nothing else. */
  static final String IMAGE = "busybox:test";

  private static final Duration STARTING = Duration.ofSeconds(60);
  private static final long STOPPING_S = 20;

  private static final String IN_NAMESPACE =
      """
      mount -t tmpfs tmpfs /run
      mkdir -p /run/docker/plugins
      mount --bind "$1" /run/docker/plugins
      exec dockerd --config-file="$2/daemon.json" --data-root="$2/data" --exec-root="$2/exec" \
        --pidfile="$2/pid" --host="unix://$2/sock" --storage-driver=vfs \
        --bridge=none --iptables=false --ip-forward=false
      """;

  private static final String ROOT =
      """
      mkdir -p "$1/bin"
      cp "$(command -v busybox)" "$1/bin/"
      for name in sh cat date echo sleep test wc; do ln -s busybox "$1/bin/$name"; done
      tar -C "$1" -cf "$1.tar" .
      """;

  private final Path directory;
  private final List<String> enter;
  private final Path plugins;
  private Process process;

  private DockerEngine(Path directory, List<String> enter, Path plugins) {
    this.directory = directory;
    this.enter = enter;
    this.plugins = plugins;
  }

  /**
   * @param directory its own
   * @param enter the command that runs another one in its network namespace
   * @param plugins where it finds the sockets of plugins
   */
  static DockerEngine start(Path directory, List<String> enter, Path plugins) {
    DockerEngine engine = new DockerEngine(directory, enter, plugins);
    try {
      Files.createDirectories(directory);
      Files.writeString(directory.resolve("daemon.json"), "{}");
      engine.start();
      Path root = directory.resolve("root");
      Run.script(directory, ROOT, root.toString()).succeeded();
      engine.succeeds("import", root + ".tar", IMAGE);
      return engine;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      engine.close();
      throw e;
    }
  }

  void start() {
    List<String> command = new ArrayList<>(enter);
    command.addAll(List.of("unshare", "--mount", "--propagation", "slave", "sh", "-euc"));
    command.addAll(List.of(IN_NAMESPACE, "sh", plugins.toString(), directory.toString()));
    try {
      Path log = directory.resolve("log");
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      Awaitility.await()
          .atMost(STARTING)
          .until(() -> !run("version").failed() || !process.isAlive());
      if (!process.isAlive()) {
        throw new IllegalStateException("dockerd has ended:\n" + Files.readString(log));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Stops dockerd alone. */
  void stop() {
    process.destroy();
    try {
      if (!process.waitFor(STOPPING_S, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** {@code docker run} of the image's shell, without a network. */
  ProcessRun shell(String script, String... options) {
    List<String> arguments = new ArrayList<>(List.of("run", "--pull=never", "--network=none"));
    arguments.addAll(List.of("--ulimit=nofile=20000:20000"));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of(IMAGE, "/bin/sh", "-c", script));
    return run(arguments.toArray(String[]::new));
  }

  /** Output of a docker command that must succeed. */
  String succeeds(String... arguments) {
    ProcessRun run = run(arguments);
    if (run.failed()) {
      throw new AssertionError("docker " + String.join(" ", arguments) + ": " + run.output());
    }
    return run.output();
  }

  ProcessRun run(String... arguments) {
    return ProcessRun.of(command(List.of("docker"), List.of(arguments)));
  }

  /** Runs another program that speaks to this engine. */
  ProcessRun run(List<String> program, String... arguments) {
    return ProcessRun.of(command(program, List.of(arguments)));
  }

  private String[] command(List<String> program, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            "env",
            "DOCKER_HOST=unix://" + directory.resolve("sock"),
            "DOCKER_CONFIG=" + directory.resolve("config")));
    command.addAll(program);
    command.addAll(arguments);
    return command.toArray(String[]::new);
  }

  /** Where it keeps volumes that no plugin has. */
  Path localVolumes() {
    return directory.resolve("data/volumes");
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      String all = run("ps", "--all", "--quiet").output();
      all.lines().forEach(container -> run("rm", "--force", container));
      stop();
    }
    // containerd and its shims outlive a dockerd that was killed.
    ProcessHandle.allProcesses()
        .filter(one -> commandLine(one.pid()).contains(directory + "/"))
        .forEach(ProcessHandle::destroyForcibly);
  }

  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), ISO_8859_1);
    } catch (IOException gone) {
      return "";
    }
  }
}
