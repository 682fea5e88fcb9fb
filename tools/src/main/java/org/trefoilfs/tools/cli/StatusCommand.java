package org.trefoilfs.tools.cli;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.status.StatusReport;
import org.trefoilfs.tools.status.StatusText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "status",
    description = {
      "Shows the hosts with their state and space, the volumes, how many placement groups are in"
          + " sync, degraded (open with fewer replicas) or unavailable, what is catching up, the"
          + " mounts, and what an operator should know.",
      "",
      "The exit status is 0 whenever a status could be had, whatever it says. With"
          + " --wait-in-sync it is 0 when all is in sync, and 1 when it is not within the time."
    },
    footer = {
      "trefoil status --watch",
      "trefoil status --json | jq .cluster.groups",
      "trefoil status --wait-in-sync=120 && echo all in sync"
    })
final class StatusCommand implements Callable<Integer> {
  private static final Duration REFRESH = Duration.ofSeconds(1);
  private static final Duration POLL = Duration.ofMillis(250);
  private static final Duration ANSWER = Duration.ofSeconds(20);
  private static final String CLEAR_SCREEN = "\033[H\033[2J\033[3J";
  private final Context context;
  private final GlobalOptions global;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  @Option(names = "--watch", description = "Draw it again each second, until interrupted.")
  boolean watch;

  @Option(
      names = "--wait-in-sync",
      arity = "0..1",
      fallbackValue = "60",
      paramLabel = "SECONDS",
      description = "Wait until everything is in sync, at most so long (60 when not said).")
  @Nullable Integer waitSeconds;

  StatusCommand(Context context, GlobalOptions global) {
    this.context = context;
    this.global = global;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (watch) {
      return watch();
    }
    if (waitSeconds != null) {
      return waitInSync(Duration.ofSeconds(waitSeconds));
    }
    print(fetch());
    return ExitCode.OK.status();
  }

  private StatusReport fetch() {
    Target target = Target.resolve(global, context.machine());
    try (AdminClient client = context.connect(target, ANSWER)) {
      return client.ask(Verb.STATUS, StatusReport.class);
    }
  }

  private void print(StatusReport status) {
    if (json) {
      context.printJson(status);
    } else {
      context.out().print(StatusText.of(status));
    }
    context.out().flush();
  }

  /** Ends by a signal only; a cluster that does not answer is what one may be watching for. */
  private int watch() throws InterruptedException {
    while (true) {
      String screen;
      try {
        StatusReport status = fetch();
        if (json) {
          print(status);
          Thread.sleep(REFRESH);
          continue;
        }
        screen = StatusText.of(status);
      } catch (TrefoilException e) {
        screen = e.getMessage() + "\n";
      }
      context.out().print((System.console() != null ? CLEAR_SCREEN : "") + screen);
      context.out().flush();
      Thread.sleep(REFRESH);
    }
  }

  private int waitInSync(Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    @Nullable StatusReport last = null;
    @Nullable TrefoilException failure = null;
    do {
      try {
        last = fetch();
        failure = null;
        if (last.cluster().inSync()) {
          print(last);
          return ExitCode.OK.status();
        }
      } catch (TrefoilException e) {
        failure = e;
      }
      Thread.sleep(POLL);
    } while (System.nanoTime() < deadline);
    if (failure != null) {
      throw failure;
    }
    if (last != null) {
      print(last);
    }
    context.err().println("trefoil: not in sync after " + patience.toSeconds() + " s");
    return ExitCode.FAILED.status();
  }
}
