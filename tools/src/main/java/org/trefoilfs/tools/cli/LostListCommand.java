package org.trefoilfs.tools.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Lost;
import org.trefoilfs.tools.admin.Messages.LostLine;
import org.trefoilfs.tools.admin.Messages.LostRange;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.status.Sizes;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "list",
    description = {
      "Lists the evicted mounts whose acknowledged writes are not, or not all, in their volume: how"
          + " much, and which bytes of which files, by inode ('find MOUNT -inum N' names them).",
      "",
      "What a host keeps is exact. Of a mount whose host has not returned, it is what the mount had"
          + " said in its last second; it may have acknowledged more, up to the volume's bounds."
    },
    footer = {"trefoil lost list", "trefoil lost list --json"})
final class LostListCommand implements Callable<Integer> {
  /** Ranges of one mount shown to people; --json has all. */
  private static final int SHOWN = 20;

  private final Context context;
  private final GlobalOptions global;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  LostListCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      Lost answer = client.ask(Verb.LOST_LIST, Lost.class);
      if (json) {
        context.printJson(answer);
      } else if (answer.losses().isEmpty()) {
        context.out().println("nothing was lost");
      } else {
        answer.losses().forEach(this::print);
      }
    }
    return ExitCode.OK.status();
  }

  private void print(LostLine line) {
    context
        .out()
        .printf(
            "%s: volume %s, mount %s%s%n",
            line.id(),
            line.volume(),
            line.mount(),
            line.time().isEmpty() ? "" : ", evicted at " + line.time());
    context
        .out()
        .printf(
            "  %s %s%n",
            Sizes.bytes(line.bytes()),
            line.host().isEmpty()
                ? "when it was last heard; its host has not returned"
                : "kept by host " + line.host());
    List<LostRange> ranges = line.ranges();
    for (LostRange range : ranges.subList(0, Math.min(SHOWN, ranges.size()))) {
      context
          .out()
          .printf("  inode %d: bytes %d to %d%n", range.inode(), range.offset(), range.end());
    }
    if (ranges.size() > SHOWN) {
      context.out().printf("  and %d more ranges; see --json%n", ranges.size() - SHOWN);
    }
  }
}
