package org.trefoilfs.tools.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "host",
    description = "Starts, stops, lists, empties and removes the hosts that hold the cluster.",
    footer = {"trefoil host start --data /var/lib/trefoil --detach", "trefoil host list"})
final class HostCommand implements Runnable {
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command was given");
  }
}
