package org.trefoilfs.tools.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "help",
    description = "Shows the page of a command.",
    footer = {"trefoil help host start"})
final class HelpCommand implements Runnable {
  @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "A command, as it is called.")
  List<String> names = new ArrayList<>();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    CommandLine command = spec.commandLine().getParent();
    for (String name : names) {
      CommandLine next = command.getSubcommands().get(name);
      if (next == null) {
        throw new ParameterException(
            command,
            "'"
                + name
                + "' is not a command; the commands are "
                + String.join(", ", command.getSubcommands().keySet()));
      }
      command = next;
    }
    command.usage(command.getOut());
  }
}
