package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.Messages.Mounts;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "stop",
    description =
        "Stops the host of a data directory on this machine: unmounts its mounts, and returns when"
            + " its process has ended. Volumes that Docker containers use stay mounted, as with"
            + " --keep-mounts. Asks it first, and sends SIGTERM when it does not answer. To"
            + " stop a host that is not running is no error.",
    footer = {
      "trefoil host stop --data /var/lib/trefoil",
      "trefoil host stop --data /var/lib/trefoil --keep-mounts"
    })
final class HostStopCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Option(
      names = "--keep-mounts",
      description =
          "For an upgrade: mounts of the kernel transport stay, with their open files; calls on"
              + " them wait for the next start, at most as long as their orphan_timeout says."
              + " Others are unmounted.")
  boolean keepMounts;

  HostStopCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Path data = global.data;
    if (data == null) {
      throw new TrefoilException(
          Reason.INVALID, "host stop: no data directory was given; add --data DIR");
    }
    boolean ran =
        context
            .daemons()
            .stop(data.toAbsolutePath().normalize(), keepMounts ? Mounts.KEPT : Mounts.UNMOUNTED);
    context.out().println(ran ? "stopped" : "not running");
    return ExitCode.OK.status();
  }
}
