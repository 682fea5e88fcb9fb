package org.trefoilfs.tools.cli;

import java.util.concurrent.Callable;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Volumes;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.status.StatusText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "list",
    description = "Lists the volumes of the cluster with their promises, files and sizes.",
    footer = {"trefoil volume list", "trefoil volume list --json"})
final class VolumeListCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  VolumeListCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      Volumes answer = client.ask(Verb.VOLUME_LIST, Volumes.class);
      if (json) {
        context.printJson(answer);
      } else {
        context.out().print(StatusText.volumes(answer.volumes()));
      }
    }
    return ExitCode.OK.status();
  }
}
