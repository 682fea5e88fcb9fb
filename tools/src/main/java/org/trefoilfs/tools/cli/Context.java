package org.trefoilfs.tools.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.daemon.DaemonProcess;
import org.trefoilfs.tools.daemon.Jvm;
import org.trefoilfs.tools.library.Library;
import org.trefoilfs.tools.mount.Registry;

/**
 * What every command is given.
 *
 * @param mainClass started again for processes of their own
 */
public record Context(Library library, String mainClass, Streams streams, Machine machine) {
  /** Longer than a host waits for a majority before it fails by itself. */
  static final Duration ANSWER = Duration.ofSeconds(60);

  /** Where people read. */
  public record Streams(PrintWriter out, PrintWriter err) {}

  /**
   * What surrounds the process.
   *
   * @param home the checkout or the present directory: the default place of a demo
   * @param command how this command is called, for examples
   */
  public record Machine(
      Map<String, String> environment, Path home, Path systemData, String command) {
    public static Machine real() {
      return new Machine(
          System.getenv(),
          Path.of(System.getProperty("trefoil.home", "")).toAbsolutePath().normalize(),
          Path.of("/var/lib/trefoil"),
          System.getProperty("trefoil.command", "trefoil"));
    }

    public Path demoDirectory() {
      return home.resolve("target").resolve("demo");
    }

    public Registry registry() {
      return Registry.ofMachine(environment);
    }
  }

  PrintWriter out() {
    return streams.out();
  }

  PrintWriter err() {
    return streams.err();
  }

  Jvm jvm() {
    return new Jvm(mainClass);
  }

  DaemonProcess daemons() {
    return new DaemonProcess(library, jvm());
  }

  /** A line to the first host of the target that answers. */
  AdminClient connect(Target target, Duration answer) {
    return new AdminClient(target.connect(library), answer);
  }

  /** What a person should know, on standard error: scripts read the other. */
  void warn(String sentence) {
    err().println("warning: " + sentence);
    err().flush();
  }

  void printJson(Object value) {
    out().println(Json.MAPPER.writeValueAsString(value));
  }
}
