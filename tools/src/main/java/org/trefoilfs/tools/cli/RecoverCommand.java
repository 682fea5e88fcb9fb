package org.trefoilfs.tools.cli;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Recover;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.recover.LossHistory;
import org.trefoilfs.tools.recover.RecoverReport;
import org.trefoilfs.tools.recover.RecoverText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "recover",
    description = {
      "After all hosts of a placement group have stopped at once, it opens when every one of its"
          + " in-sync hosts runs again: only together are they sure to hold all that was"
          + " acknowledged. When one of them is gone for good, this command is the way out.",
      "",
      "Without --accept-loss it changes nothing: it says which hosts are missing, which groups are"
          + " closed for want of them, what the others hold, and what may be lost. With it, each of"
          + " these groups opens from the host with the last write of those that answer; nothing is"
          + " asked. The choice is recorded in the state log: see --history. A host that was given"
          + " up and returns after all catches up with the others; what only it had is gone then.",
      "",
      "It needs a majority of the state log's voters. If most of them are gone for good, the names"
          + " of all files are gone with them: that needs a new cluster, and is beyond this"
          + " command.",
      "",
      "The exit status is 0 when a report could be had, or all that could be opened was; with"
          + " --accept-loss 1 when groups stay closed that wait for missing hosts."
    },
    footer = {
      "trefoil recover",
      "trefoil recover --accept-loss",
      "trefoil recover --history --json",
      "trefoil host remove node-3"
    })
final class RecoverCommand implements Callable<Integer> {
  private final Context context;
  private final GlobalOptions global;

  @Option(
      names = "--accept-loss",
      description = "Open what can be opened, and accept what is lost by that.")
  boolean acceptLoss;

  @Option(names = "--history", description = "List the losses that were accepted before.")
  boolean history;

  @Option(
      names = "--operator",
      paramLabel = "TEXT",
      description = "Who accepts the loss, for the record (default: user@machine).")
  @Nullable String operator;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  RecoverCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() {
    if (acceptLoss && history) {
      throw new TrefoilException(
          Reason.INVALID,
          "recover: --history only looks; leave it out, or leave out --accept-loss");
    }
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, Context.ANSWER)) {
      return history ? history(client) : recover(client);
    }
  }

  private int history(AdminClient client) {
    LossHistory losses = client.ask(Verb.RECOVER_HISTORY, LossHistory.class);
    if (json) {
      context.printJson(losses);
    } else {
      context.out().print(RecoverText.of(losses));
    }
    return ExitCode.OK.status();
  }

  private int recover(AdminClient client) {
    Recover argument = new Recover(acceptLoss ? operator() : null);
    RecoverReport report = client.ask(Verb.RECOVER, argument, RecoverReport.class);
    if (json) {
      context.printJson(report);
    } else {
      context.out().print(RecoverText.of(report));
    }
    return (leavesGroupsClosed(report) ? ExitCode.FAILED : ExitCode.OK).status();
  }

  private static boolean leavesGroupsClosed(RecoverReport report) {
    RecoverReport.Done done = report.done();
    return done != null
        && (done.refused() > 0
            || report.loss().pools().stream()
                .anyMatch(pool -> pool.closed().lost() + pool.closed().askAgain() > 0));
  }

  private String operator() {
    return operator != null ? operator : System.getProperty("user.name") + "@" + machine();
  }

  private static String machine() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }
}
