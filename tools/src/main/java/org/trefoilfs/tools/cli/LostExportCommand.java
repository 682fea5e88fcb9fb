package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.LostExport;
import org.trefoilfs.tools.admin.Messages.LostExported;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.status.Sizes;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "export",
    description = {
      "Writes what a host keeps of an evicted mount's lost writes into a directory of that host: for"
          + " each inode a sparse file with the lost bytes at their places, and ranges.json, which"
          + " says where they are. Nothing in the volume changes."
    },
    footer = "trefoil lost export 3f0c2d5e8a9b1c47 --to /root/lost")
final class LostExportCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Parameters(paramLabel = "ID", description = "As 'trefoil lost list' shows it.")
  String id = "";

  @Option(
      names = "--to",
      paramLabel = "DIR",
      required = true,
      description = "Directory on the host that keeps it, made if need be.")
  Path directory = Path.of("");

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  LostExportCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      LostExported done =
          client.ask(
              Verb.LOST_EXPORT,
              new LostExport(id, directory.toAbsolutePath().toString()),
              LostExported.class);
      if (json) {
        context.printJson(done);
      } else {
        context
            .out()
            .printf(
                "%s of %d files are in %s%n",
                Sizes.bytes(done.bytes()), done.files(), done.directory());
      }
    }
    return ExitCode.OK.status();
  }
}
