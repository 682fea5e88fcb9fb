package org.trefoilfs.tools.cli;

import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
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
    name = "set",
    description = "Changes what a volume promises; what is not named stays.",
    footer = {
      "trefoil volume set work --commit sync",
      "trefoil volume set work --min-in-sync 1",
      "trefoil volume set work --rpo 500ms"
    })
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

  @Option(
      names = "--rpo",
      paramLabel = "DURATION",
      description = "What a mounting host may lose, in time; see 'trefoil volume create'.")
  @Nullable String rpo;

  @Option(
      names = "--rpo-bytes",
      paramLabel = "SIZE",
      description = "What a mounting host may lose, in bytes.")
  @Nullable String rpoBytes;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  VolumeSetCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    if (Stream.of(replicas, minInSync, commit, rpo, rpoBytes).allMatch(Objects::isNull)) {
      throw new TrefoilException(
          Reason.INVALID,
          "volume set: nothing to change; give --min-in-sync, --commit, --rpo or --rpo-bytes");
    }
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      VolumeLine changed =
          client.ask(
              Verb.VOLUME_SET,
              new VolumeArgument(
                  name,
                  replicas,
                  minInSync,
                  commit,
                  rpo == null ? null : (Long) Durations.parse(rpo).toMillis(),
                  rpoBytes == null ? null : (Long) ByteSizes.parse(rpoBytes)),
              VolumeLine.class);
      VolumeOutput.print(context, changed, json, "changed");
    }
    return ExitCode.OK.status();
  }
}
