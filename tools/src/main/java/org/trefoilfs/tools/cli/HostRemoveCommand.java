package org.trefoilfs.tools.cli;

import java.util.concurrent.Callable;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.HostName;
import org.trefoilfs.tools.admin.Messages.HostRemoved;
import org.trefoilfs.tools.admin.Verb;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "remove",
    description = {
      "Removes a host that does not run from the cluster, for good: its name is free again, and it"
          + " no longer counts among the voters. Refused while placement groups need it: one that"
          + " is emptied first ('trefoil host leave') holds none; for one that will never return"
          + " see 'trefoil recover'.",
      "",
      "Its data directory is left alone; it cannot join again with it."
    },
    footer = {"trefoil host remove node-3"})
final class HostRemoveCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Parameters(paramLabel = "NAME", description = "Name of the host, or its id such as h3.")
  String name = "";

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  HostRemoveCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      HostRemoved removed = client.ask(Verb.HOST_REMOVE, new HostName(name), HostRemoved.class);
      if (json) {
        context.printJson(removed);
      } else {
        context.out().println("host " + removed.name() + " removed");
        removed.warnings().forEach(context::warn);
      }
    }
    return ExitCode.OK.status();
  }
}
