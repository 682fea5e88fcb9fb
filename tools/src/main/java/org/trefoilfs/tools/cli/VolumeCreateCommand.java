package org.trefoilfs.tools.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.VolumeArgument;
import org.trefoilfs.tools.admin.Messages.VolumeLine;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.ByteSizes;
import org.trefoilfs.tools.daemon.Durations;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "create",
    description =
        "Creates an empty volume. Needs as many storage hosts as the volume has replicas.",
    footer = {
      "trefoil volume create work",
      "trefoil volume create scratch --replicas 2",
      "trefoil volume create safe --min-in-sync 3",
      "trefoil volume create builds --commit async --rpo 5s --rpo-bytes 256MiB"
    })
final class VolumeCreateCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Parameters(paramLabel = "NAME", description = "Name of the new volume.")
  String name = "";

  @Option(
      names = "--replicas",
      paramLabel = "N",
      description = "Hosts that hold each chunk (default: 3).")
  @Nullable Integer replicas;

  @Option(
      names = "--min-in-sync",
      paramLabel = "N",
      description =
          "Replicas that must be in sync for writes to go on, 1 to the replicas (default: a majority of"
              + " three and more, else 1).")
  @Nullable Integer minInSync;

  @Option(
      names = "--commit",
      paramLabel = "sync|async",
      description =
          "When write(2) returns: when every in-sync replica holds it, or when the mounting host"
              + " does (default: sync).")
  @Nullable CommitMode commit;

  @Option(
      names = "--rpo",
      paramLabel = "DURATION",
      description =
          "Of what is committed asynchronously, a mounting host that dies loses no more than the last"
              + " so many seconds: writers are slowed there, 100ms to 60m (default: 2s).")
  @Nullable String rpo;

  @Option(
      names = "--rpo-bytes",
      paramLabel = "SIZE",
      description = "And no more than so many bytes, 1MiB to 1GiB (default: 64MiB).")
  @Nullable String rpoBytes;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  VolumeCreateCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      VolumeLine made =
          client.ask(
              Verb.VOLUME_CREATE,
              new VolumeArgument(
                  name,
                  replicas,
                  minInSync,
                  commit,
                  rpo == null ? null : (Long) Durations.parse(rpo).toMillis(),
                  rpoBytes == null ? null : (Long) ByteSizes.parse(rpoBytes)),
              VolumeLine.class);
      VolumeOutput.print(context, made, json, "created");
    }
    return ExitCode.OK.status();
  }
}
