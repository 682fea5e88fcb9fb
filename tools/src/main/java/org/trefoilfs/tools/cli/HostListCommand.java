package org.trefoilfs.tools.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Hosts;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.status.StatusText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "list",
    description = "Lists the hosts of the cluster with their state, role and space.",
    footer = {"trefoil host list", "trefoil --cluster 10.0.0.1:7440 host list --json"})
final class HostListCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  HostListCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      Hosts answer = client.ask(Verb.HOST_LIST, Hosts.class);
      if (json) {
        context.printJson(answer);
      } else {
        context.out().print(StatusText.hosts(answer.hosts(), List.of()));
      }
    }
    return ExitCode.OK.status();
  }
}
