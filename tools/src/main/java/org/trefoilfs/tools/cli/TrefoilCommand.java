package org.trefoilfs.tools.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "trefoil",
    description = {
      "Trefoil is a filesystem that several hosts hold together: each gives it a directory, and"
          + " any of them mounts it like a local disk. Every write is on several hosts before it"
          + " is acknowledged.",
      "",
      "'trefoil demo' shows it on one machine. For real machines, run 'trefoil host start --data"
          + " DIR' on the first and the same with --join on the others; then 'trefoil volume"
          + " create', and 'trefoil mount' wherever it is needed."
    },
    footer = {
      "trefoil demo",
      "trefoil host start --data /var/lib/trefoil --detach",
      "trefoil volume create work",
      "trefoil mount work /mnt/work",
      "trefoil status --watch"
    })
final class TrefoilCommand implements Runnable {
  @Mixin final GlobalOptions options;

  @Spec CommandSpec spec = CommandSpec.create();

  TrefoilCommand(GlobalOptions options) {
    this.options = options;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command was given");
  }
}
