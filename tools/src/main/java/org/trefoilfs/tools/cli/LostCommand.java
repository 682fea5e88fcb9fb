package org.trefoilfs.tools.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "lost",
    description = {
      "What asynchronous commit has lost, and the way to get it back.",
      "",
      "A mount of an async volume acknowledges writes before the replicas have them. If its host"
          + " dies, or is out of touch for 10 seconds, the mount is evicted, and what it had not"
          + " shipped is lost to the volume: never more than the volume's --rpo and --rpo-bytes. When"
          + " the host returns in time, its mounts' writes are shipped after all; when it is too late,"
          + " they are kept for export, and never applied over what others have written since."
    },
    footer = {"trefoil lost list", "trefoil lost export 3f0c2d5e8a9b1c47 --to /root/lost"})
final class LostCommand implements Runnable {
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command was given");
  }
}
