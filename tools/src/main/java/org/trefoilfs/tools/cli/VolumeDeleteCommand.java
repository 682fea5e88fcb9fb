package org.trefoilfs.tools.cli;

import java.util.concurrent.Callable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Messages.VolumeName;
import org.trefoilfs.tools.admin.Messages.Volumes;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.status.Sizes;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "delete",
    description =
        "Deletes a volume and everything in it, for good. A volume that holds data is deleted only"
            + " with --force; one that is mounted must be unmounted first.",
    footer = {"trefoil volume delete scratch --force"})
final class VolumeDeleteCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Parameters(paramLabel = "NAME", description = "Name of the volume.")
  String name = "";

  @Option(names = "--force", description = "Delete its files with it.")
  boolean force;

  VolumeDeleteCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      if (!force) {
        checkEmpty(client.ask(Verb.VOLUME_LIST, Volumes.class));
      }
      client.ask(Verb.VOLUME_DELETE, new VolumeName(name), Nothing.class);
      context.out().println("volume " + name + " deleted");
    }
    return ExitCode.OK.status();
  }

  private void checkEmpty(Volumes volumes) {
    for (VolumeLine volume : volumes.volumes()) {
      if (volume.name().equals(name) && volume.bytes() != 0) {
        throw new TrefoilException(
            Reason.NOT_EMPTY,
            "volume "
                + name
                + ": holds "
                + Sizes.count(volume.files())
                + " files of "
                + Sizes.bytes(volume.bytes())
                + "; add --force to delete them for good");
      }
    }
  }
}
