package org.trefoilfs.tools.cli;

import org.trefoilfs.tools.daemon.Logging;
import picocli.CommandLine;

/** Puts the commands together and runs one. */
public final class TrefoilCli {
  private TrefoilCli() {}

  /** Returns the exit status. */
  public static int run(Context context, String... arguments) {
    if (HostServe.isMeant(arguments)) {
      return new HostServe(context).run(arguments);
    }
    GlobalOptions options = new GlobalOptions();
    int status = build(context, options).execute(arguments);
    context.out().flush();
    return status;
  }

  static CommandLine build(Context context, GlobalOptions options) {
    CommandLine host =
        new CommandLine(new HostCommand())
            .addSubcommand(new HostStartCommand(context, options))
            .addSubcommand(new HostStopCommand(context, options))
            .addSubcommand(new HostListCommand(context, options))
            .addSubcommand(new HostLeaveCommand(context, options))
            .addSubcommand(new HostRemoveCommand(context, options));
    CommandLine volume =
        new CommandLine(new VolumeCommand())
            .addSubcommand(new VolumeCreateCommand(context, options))
            .addSubcommand(new VolumeListCommand(context, options))
            .addSubcommand(new VolumeSetCommand(context, options))
            .addSubcommand(new VolumeDeleteCommand(context, options));
    CommandLine lost =
        new CommandLine(new LostCommand())
            .addSubcommand(new LostListCommand(context, options))
            .addSubcommand(new LostExportCommand(context, options));
    CommandLine trefoil =
        new CommandLine(new TrefoilCommand(options))
            .addSubcommand(new DemoCommand(context))
            .addSubcommand(host)
            .addSubcommand(volume)
            .addSubcommand(new MountCommand(context, options))
            .addSubcommand(new UnmountCommand(context))
            .addSubcommand(new StatusCommand(context, options))
            .addSubcommand(new RecoverCommand(context, options))
            .addSubcommand(lost)
            .addSubcommand(new FsckCommand(context, options))
            .addSubcommand(new VersionCommand(context))
            .addSubcommand(new HelpCommand());
    return configure(trefoil, context, options);
  }

  private static CommandLine configure(
      CommandLine trefoil, Context context, GlobalOptions options) {
    Errors errors = new Errors(context, options);
    Manual.complete(trefoil);
    return trefoil
        .setOut(context.out())
        .setErr(context.err())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((failure, arguments) -> errors.reportUsage(failure))
        .setExecutionExceptionHandler((failure, command, parsed) -> errors.report(failure))
        .setExecutionStrategy(
            parsed -> {
              Logging.forCommand(options.verbose);
              return new CommandLine.RunLast().execute(parsed);
            });
  }
}
