package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.daemon.DaemonFile;
import org.trefoilfs.tools.daemon.DataLock;
import org.trefoilfs.tools.library.FsckResult;
import org.trefoilfs.tools.status.Sizes;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "fsck",
    description = {
      "Reads every chunk that a host stores and compares each block with its checksum. A host that"
          + " runs does so itself; one that does not run is checked by this command.",
      "",
      "Prints a digest over all chunks: two hosts that are in sync and hold the same groups"
          + " print the same. The exit status is 1 when there are problems."
    },
    footer = {"trefoil fsck --data /var/lib/trefoil", "trefoil fsck --data target/demo/host1"})
final class FsckCommand implements Callable<Integer> {
  /** A full disk of some terabytes is read in this time. */
  private static final Duration ANSWER = Duration.ofHours(12);

  private final Context context;
  private final GlobalOptions global;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  FsckCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Path data = global.data;
    if (data == null) {
      throw new TrefoilException(
          Reason.INVALID, "fsck: no data directory was given; add --data DIR");
    }
    FsckResult result = check(data.toAbsolutePath().normalize());
    if (json) {
      context.printJson(result);
    } else {
      print(result);
    }
    return (result.problems().isEmpty() ? ExitCode.OK : ExitCode.FAILED).status();
  }

  private FsckResult check(Path data) {
    Optional<DaemonFile> file = DaemonFile.load(data);
    if (file.isEmpty()) {
      throw new TrefoilException(
          Reason.NOT_FOUND, data + ": no host has run in this directory; check --data");
    }
    if (file.get().isRunning()) {
      Target target = new Target(file.get().addresses().subList(0, 1), data.toString());
      try (AdminClient client = context.connect(target, ANSWER)) {
        return client.ask(Verb.FSCK, FsckResult.class);
      }
    }
    try (DataLock lock = DataLock.take(data, "trefoil fsck")) {
      return context.library().fsck(data);
    }
  }

  private void print(FsckResult result) {
    context
        .out()
        .printf(
            "%d placement groups, %d chunks, %s checked; digest %s%n",
            result.groups(), result.chunks(), Sizes.bytes(result.bytes()), result.digest());
    result.problems().forEach(problem -> context.out().println("problem: " + problem));
    context
        .out()
        .println(
            result.problems().isEmpty() ? "no problems" : result.problems().size() + " problems");
  }
}
