package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "mount",
    description = {
      "Mounts a volume on an empty directory, and returns once the mount answers. If a host of the"
          + " cluster runs on this machine, it mounts, and mounts again whenever it is started"
          + " again. Otherwise a process of its own does, which needs no data directory and lasts"
          + " until 'trefoil unmount'.",
      "",
      "What one mount has written, every other mount reads, always."
    },
    footer = {
      "trefoil mount work /mnt/work",
      "trefoil mount work /mnt/work -o ro,noatime",
      "trefoil --cluster 10.0.0.1:7440,10.0.0.2:7440 mount work /mnt/work"
    })
final class MountCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Parameters(index = "0", paramLabel = "VOLUME", description = "The volume to mount.")
  String volume = "";

  @Parameters(index = "1", paramLabel = "DIR", description = "An empty directory.")
  Path directory = Path.of("");

  @Option(
      names = "-o",
      paramLabel = "OPTIONS",
      split = ",",
      description = "Mount options as mount(8) takes them, separated by commas.")
  List<String> options = new ArrayList<>();

  @Option(
      names = "--transport",
      paramLabel = "auto|kernel|libfuse",
      description =
          "/dev/fuse itself, which is faster, outlives its daemon and is for root alone, or libfuse"
              + " 2. auto, which is the default: the first where it can be used.")
  FuseTransportKind transport = FuseTransportKind.AUTO;

  @Option(names = "--foreground", hidden = true)
  boolean foreground;

  MountCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() throws InterruptedException {
    MountSpec spec =
        new MountSpec(volume, MountPoints.absolute(directory).toString(), options, transport);
    Target target = Target.resolve(global, context.machine());
    if (foreground) {
      ClientMount.serve(context, target, spec);
    } else {
      new Mounting(context, target).mount(spec);
      context.out().println(volume + " mounted at " + spec.directory());
    }
    return ExitCode.OK.status();
  }
}
