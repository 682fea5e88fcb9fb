package org.trefoilfs.tools.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.demo.Demo;
import org.trefoilfs.tools.demo.DemoText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    description = {
      "Starts several hosts on this machine with one volume, mounts it once per host at DIR/mnt1,"
          + " DIR/mnt2 and so on, and says what to try. Stays in the foreground until Ctrl-C, which"
          + " stops everything; with --detach it returns when the mounts answer. What was stored"
          + " is there again at the next start."
    },
    footer = {"trefoil demo", "trefoil demo --hosts 5 --detach", "trefoil demo --stop"})
final class DemoCommand implements Callable<Integer> {
  private static final int MAX_HOSTS = 9;
  private static final double NANOS_PER_SECOND = 1e9;
  private final Context context;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where everything is kept (default: target/demo).")
  @Nullable Path directory;

  @Option(names = "--hosts", paramLabel = "N", description = "How many hosts, 1 to 9.")
  int hosts = 3;

  @Option(names = "--detach", description = "Leave the hosts running in the background.")
  boolean detach;

  @Option(names = "--stop", description = "Stop the demo that runs in DIR.")
  boolean stop;

  DemoCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    Path place = directory != null ? directory : context.machine().demoDirectory();
    Demo demo = new Demo(place.toAbsolutePath().normalize(), context.library(), context.daemons());
    return stop ? stop(demo) : start(demo);
  }

  private int stop(Demo demo) {
    boolean ran = !demo.running().isEmpty();
    demo.stop();
    context.out().println(ran ? "The demo has stopped; its data is kept." : "No demo is running.");
    return ExitCode.OK.status();
  }

  private int start(Demo demo) throws InterruptedException {
    if (hosts < 1 || hosts > MAX_HOSTS) {
      throw new TrefoilException(
          Reason.INVALID, "demo: " + hosts + " hosts; give a number from 1 to " + MAX_HOSTS);
    }
    String command = context.machine().command();
    DemoText text = new DemoText(demo, command);
    if (!demo.running().isEmpty() && demo.running().size() == demo.hosts()) {
      context.out().print(text.hosts());
      throw new TrefoilException(
          Reason.EXISTS,
          "demo: runs already; stop it with '"
              + command
              + " demo --stop', or start another one with --dir DIR");
    }
    if (detach) {
      beginWhole(demo, text);
    } else {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> end(demo), "stop the demo"));
      begin(demo, text);
      context.out().println("Ctrl-C stops everything.");
      context.out().flush();
      new CountDownLatch(1).await();
    }
    return ExitCode.OK.status();
  }

  /** Half a demo helps nobody; what failed to start leaves its logs only. */
  private void beginWhole(Demo demo, DemoText text) {
    boolean fresh = demo.running().isEmpty();
    try {
      begin(demo, text);
    } catch (RuntimeException e) {
      if (fresh) {
        demo.stop();
      }
      throw e;
    }
  }

  private void begin(Demo demo, DemoText text) {
    long began = System.nanoTime();
    context.out().printf("Starting %d hosts ...%n", hosts);
    context.out().flush();
    demo.start(hosts);
    context
        .out()
        .printf(
            "%d hosts hold volume '%s' together, up in %.1f s.%n%n%s%n%s%n",
            hosts,
            Demo.VOLUME,
            (System.nanoTime() - began) / NANOS_PER_SECOND,
            text.hosts(),
            text.suggestions());
    context.out().flush();
  }

  private void end(Demo demo) {
    context.out().println("Stopping ...");
    context.out().flush();
    demo.stop();
  }
}
