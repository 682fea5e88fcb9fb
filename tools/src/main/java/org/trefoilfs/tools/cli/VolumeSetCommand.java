package org.trefoilfs.tools.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Verb;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "set",
    description = "Changes what a volume promises; what is not named stays.",
    footer = {"trefoil volume set work --commit sync", "trefoil volume set work --min-in-sync 1"})
final class VolumeSetCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Parameters(paramLabel = "NAME", description = "Name of the volume.")
  String name = "";

  @Option(names = "--replicas", paramLabel = "N", description = "Hosts that hold each chunk.")
  @Nullable Integer replicas;

  @Option(
      names = "--min-in-sync",
      paramLabel = "N",
      description = "Replicas that must be in sync for writes to go on, 1 to the replicas.")
  @Nullable Integer minInSync;

  @Option(
      names = "--commit",
      paramLabel = "sync|async",
      description = "When write(2) returns; see 'trefoil volume create'.")
  @Nullable CommitMode commit;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  VolumeSetCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    if (replicas == null && minInSync == null && commit == null) {
      throw new TrefoilException(
          Reason.INVALID, "volume set: nothing to change; give --min-in-sync or --commit");
    }
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      VolumeLine changed =
          client.ask(
              Verb.VOLUME_SET,
              new VolumeArgument(name, replicas, minInSync, commit),
              VolumeLine.class);
      VolumeOutput.print(context, changed, json, "changed");
    }
    return ExitCode.OK.status();
  }
}
