package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.trefoilfs.tools.mount.MountPoints;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "unmount",
    description =
        "Takes a mount off and forgets it. Works on busy mounts, whose open files go on until they"
            + " are closed, and on those whose process is dead or does not answer.",
    footer = {"trefoil unmount /mnt/work"})
final class UnmountCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(paramLabel = "DIR", description = "The mount point.")
  Path directory = Path.of("");

  UnmountCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    new Unmounting(context).unmount(MountPoints.absolute(directory));
    context.out().println(directory + " unmounted");
    return ExitCode.OK.status();
  }
}
