package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Options that every command takes, before or after its name. */
final class GlobalOptions {
  @Option(
      names = "--cluster",
      paramLabel = "ADDRESS:PORT[,...]",
      scope = ScopeType.INHERIT,
      description = "Hosts to ask, the first that answers. Default: see TREFOIL_CLUSTER.")
  @Nullable String cluster;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      scope = ScopeType.INHERIT,
      description = "A host's data directory: the one to start, stop or check, or the host to ask.")
  @Nullable Path data;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Log to standard error, and show where an error came from.")
  boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this page.")
  boolean help;
}
