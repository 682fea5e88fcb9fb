package org.trefoilfs.tools.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "volume",
    description = "Creates, lists, changes and deletes volumes",
    footer = {
      " filesystems of one cluster, each with its own root directory and promises.",
      "trefoil volume create work:trefoil volume list"
    })
final class VolumeCommand implements Runnable {
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command was given");
  }
}
