package org.trefoilfs.tools.cli;

import java.util.concurrent.Callable;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.HostLeave;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Verb;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "leave",
    description = {
      "Empties a host: others take over what it holds, as far as there are enough of them; until"
          + " then it serves on. Returns at once: 'trefoil status' shows the progress.",
      "",
      "When it is empty, stop it and remove it: 'trefoil host remove'."
    },
    footer = {"trefoil host leave node-3", "trefoil host leave node-3 --cancel"})
final class HostLeaveCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Parameters(paramLabel = "NAME", description = "Name of the host, or its id such as h3.")
  String name = "";

  @Option(names = "--cancel", description = "Let it stay after all.")
  boolean cancel;

  HostLeaveCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      client.ask(Verb.HOST_LEAVE, new HostLeave(name, !cancel), Nothing.class);
      context.out().println("host " + name + (cancel ? " stays" : " leaves"));
    }
    return ExitCode.OK.status();
  }
}
