package org.trefoilfs.tools.cli;

import java.util.concurrent.Callable;
import org.trefoilfs.tools.Build;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "version",
    description = "Prints the version of this program and of the Java that runs it.",
    footer = {"trefoil version --json"})
final class VersionCommand implements Callable<Integer> {
  private final Context context;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  VersionCommand(Context context) {
    this.context = context;
  }

  /** What {@code --json} prints. */
  record Version(String version, String java, String system) {}

  @Override
  public Integer call() {
    Version version =
        new Version(
            Build.version(),
            Runtime.version().toString(),
            System.getProperty("os.name") + " " + System.getProperty("os.version"));
    if (json) {
      context.printJson(version);
    } else {
      context
          .out()
          .printf(
              "trefoil %s (Java %s, %s)%n", version.version(), version.java(), version.system());
    }
    return ExitCode.OK.status();
  }
}
