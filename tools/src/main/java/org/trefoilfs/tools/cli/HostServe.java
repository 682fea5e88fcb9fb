package org.trefoilfs.tools.cli;

import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.daemon.Daemon;
import org.trefoilfs.tools.daemon.DaemonProcess;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.daemon.Logging;
import org.trefoilfs.tools.daemon.ServiceManager;
import org.trefoilfs.tools.library.RunningHost.Identity;

/**
 * The daemon itself: what {@code host start} becomes, or starts. Its arguments come from {@link
 * DaemonProcess} alone, and are read without picocli, which would load and look through every
 * command: that took a fifth of a daemon's start.
 */
final class HostServe {
  private final Context context;

  HostServe(Context context) {
    this.context = context;
  }

  /** Whether this process is to be a daemon. */
  static boolean isMeant(String... arguments) {
    return DaemonProcess.settings(arguments).isPresent();
  }

  /** Serves until the host is told to stop; returns the exit status. */
  int run(String... arguments) {
    try {
      return serve(config(arguments));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCode.OK.status();
    } catch (RuntimeException e) {
      return new Errors(context, new GlobalOptions()).report(e);
    }
  }

  private static HostConfig config(String... arguments) {
    HostConfig config = HostConfig.empty();
    for (String setting : DaemonProcess.settings(arguments).orElseThrow()) {
      int equals = setting.indexOf('=');
      Key key =
          Key.ofOption(setting.substring(0, Math.max(equals, 0)))
              .orElseThrow(
                  () ->
                      new TrefoilException(
                          Reason.INVALID,
                          "'"
                              + setting
                              + "' is no setting of a host; daemons are started by: trefoil host"
                              + " start"));
      config = config.with(key, setting.substring(equals + 1));
    }
    return config;
  }

  private int serve(HostConfig config) throws InterruptedException {
    Logging.forDaemon(config.data(), config.logFormat(), false);
    Daemon daemon = Daemon.start(context.library(), config, context.machine().registry());
    Identity identity = daemon.identity();
    ServiceManager manager = ServiceManager.of(context.machine().environment());
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  manager.stopping("host " + identity.name() + " stops");
                  daemon.close();
                },
                "stop"));
    manager.ready("host " + identity.name() + " serves at " + identity.address());
    daemon.watchedBy(manager);
    context
        .out()
        .printf(
            "host %s serves at %s (process %d, cluster %s)%n",
            identity.name(),
            identity.address(),
            ProcessHandle.current().pid(),
            identity.clusterId());
    context.out().flush();
    daemon.warnings().forEach(context::warn);
    daemon.awaitStop();
    return ExitCode.OK.status();
  }
}
