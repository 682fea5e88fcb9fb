package org.trefoilfs.tools.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.trefoilfs.tools.Trefoil;
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
  public Integer call() throws IOException {
    Version version =
        new Version(
            read(),
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

  private static String read() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Trefoil.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    }
    return properties.getProperty("version", "unknown");
  }
}
