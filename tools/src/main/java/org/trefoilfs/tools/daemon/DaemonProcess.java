package org.trefoilfs.tools.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.admin.AdminClient;
import org.trefoilfs.tools.admin.Messages.Mounts;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Messages.Stop;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.library.Library;

/** Starts and stops daemons from outside. */
public final class DaemonProcess {
  /** Standard output and error of a detached daemon, which has a log for the rest. */
  public static final String OUTPUT = "daemon.out";

  /** Begins the arguments of a daemon; behind it stands an option for each setting. */
  private static final List<String> SERVE = List.of("host", "start", "--serve");

  /** A join copies the state log's snapshot; a restart may have to wait for other hosts. */
  private static final Duration START_PATIENCE = Duration.ofSeconds(120);

  private static final Duration ASK_PATIENCE = Duration.ofSeconds(2);
  private static final Duration STOP_PATIENCE = Duration.ofSeconds(30);
  private static final Duration SIGNAL_PATIENCE = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(20);

  private final Library library;
  private final Jvm jvm;

  public DaemonProcess(Library library, Jvm jvm) {
    this.library = library;
    this.jvm = jvm;
  }

  /** Becomes the daemon, with a JVM of the right flags; returns only by failing. */
  public TrefoilException become(HostConfig config) {
    return Exec.replaceBy(command(config));
  }

  /** Starts a daemon in the background and returns when it serves. */
  public DaemonFile detach(HostConfig config) {
    Path data = config.data();
    Background.start(
        command(config), data.resolve(OUTPUT), pid -> serves(data, pid), START_PATIENCE);
    return DaemonFile.load(data).orElseThrow();
  }

  private List<String> command(HostConfig config) {
    List<String> arguments = new ArrayList<>(SERVE);
    arguments.add(Key.DATA.option() + "=" + config.data());
    config
        .without(Key.DATA)
        .values()
        .forEach((key, value) -> arguments.add(key.option() + "=" + value));
    return jvm.longRunning(config.heap(), arguments);
  }

  /** The settings in a daemon's arguments, {@code --key=value}; empty when they are no daemon's. */
  public static Optional<List<String>> settings(String... arguments) {
    List<String> all = List.of(arguments);
    return all.size() > SERVE.size() && all.subList(0, SERVE.size()).equals(SERVE)
        ? Optional.of(all.subList(SERVE.size(), all.size()))
        : Optional.empty();
  }

  private static boolean serves(Path data, long pid) {
    return DaemonFile.load(data)
        .filter(file -> file.process().pid() == pid && file.isRunning())
        .isPresent();
  }

  /** As {@link #stop(Path, Mounts)}, and its mounts are unmounted. */
  public boolean stop(Path data) {
    return stop(data, Mounts.UNMOUNTED);
  }

  /**
   * Stops the daemon of a directory: by asking, else by SIGTERM, which unmounts.
   *
   * @param mounts what becomes of its mounts
   * @return whether one was running. NOT_FOUND when the directory never had one
   */
  public boolean stop(Path data, Mounts mounts) {
    DaemonFile file =
        DaemonFile.load(data)
            .orElseThrow(
                () ->
                    new TrefoilException(
                        Reason.NOT_FOUND,
                        data + ": no host has run in this directory; check --data"));
    if (!file.isRunning()) {
      return false;
    }
    if (ask(file, mounts) && awaitEnd(file.process(), STOP_PATIENCE)) {
      return true;
    }
    ProcessHandle.of(file.process().pid()).ifPresent(ProcessHandle::destroy);
    if (!awaitEnd(file.process(), SIGNAL_PATIENCE)) {
      throw new TrefoilException(
          Reason.BUSY,
          "host "
              + file.name()
              + ": process "
              + file.process().pid()
              + " does not stop; look at "
              + data.resolve(Logging.FILE)
              + ", or run: kill -9 "
              + file.process().pid());
    }
    return true;
  }

  private boolean ask(DaemonFile file, Mounts mounts) {
    try (AdminClient client =
        new AdminClient(
            library.connect(file.addresses().subList(0, 1), ASK_PATIENCE), ASK_PATIENCE)) {
      client.ask(Verb.STOP, new Stop(mounts), Nothing.class);
      return true;
    } catch (TrefoilException e) {
      // It may have stopped before its answer left.
      return e.reason() == Reason.OUTCOME_UNKNOWN;
    }
  }

  /** Waits for a process that need not be a child of this one. */
  public static boolean awaitEnd(ProcessId process, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (process.lives()) {
      if (System.nanoTime() > deadline) {
        return false;
      }
      try {
        Thread.sleep(POLL);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return true;
  }
}
