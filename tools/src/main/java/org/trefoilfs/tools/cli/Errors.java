package org.trefoilfs.tools.cli;

import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.daemon.StartFailed;
import picocli.CommandLine;

/** Turns every failure into one line on standard error and an exit status. */
final class Errors {
  private final Context context;
  private final GlobalOptions options;

  Errors(Context context, GlobalOptions options) {
    this.context = context;
    this.options = options;
  }

  /** A failure of a command that was understood. */
  int report(Exception failure) {
    print(message(failure));
    if (options.verbose) {
      failure.printStackTrace(context.err());
    }
    return status(failure);
  }

  private static String message(Exception failure) {
    return failure instanceof StartFailed ended
        ? String.valueOf(ended.getMessage())
        : String.valueOf(TrefoilException.of(failure).getMessage());
  }

  private static int status(Exception failure) {
    return failure instanceof StartFailed ended
        ? ended.status()
        : ExitCode.of(TrefoilException.of(failure).reason()).status();
  }

  /** A command line that was not understood. */
  int reportUsage(CommandLine.ParameterException failure) {
    String command = failure.getCommandLine().getCommandSpec().qualifiedName(" ");
    print(failure.getMessage() + "; see: " + command + " --help");
    return ExitCode.USAGE.status();
  }

  private void print(String message) {
    context.err().println("trefoil: " + message.strip().replaceAll("\\s*\\R\\s*", " "));
    context.err().flush();
  }
}
