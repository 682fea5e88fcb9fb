package org.trefoilfs.tools.daemon;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Starts processes that outlive their starter, in sessions of their own (setsid(1)). */
public final class Background {
  private static final Duration POLL = Duration.ofMillis(20);

  /** Begins the one line of an error; see the command line's own rendering. */
  private static final String ERROR_PREFIX = "trefoil: ";

  private Background() {}

  /**
   * Starts a command and waits until it is ready.
   *
   * @param output where its standard output and error go
   * @param ready whether the process of this id says that it is
   * @throws StartFailed when it ends before
   */
  public static long start(
      List<String> command, Path output, LongPredicate ready, Duration patience) {
    Process process = launch(command, output);
    long deadline = System.nanoTime() + patience.toNanos();
    while (!ready.test(process.pid())) {
      if (hasEnded(process)) {
        throw new StartFailed(lastWords(output), Math.max(1, process.exitValue()));
      }
      if (System.nanoTime() > deadline) {
        throw new TrefoilException(
            Reason.UNAVAILABLE,
            "process "
                + process.pid()
                + ": not ready after "
                + patience.toSeconds()
                + " s, and still trying; it needs a majority of the hosts; see "
                + output.resolveSibling(Logging.FILE));
      }
    }
    return process.pid();
  }

  private static Process launch(List<String> command, Path output) {
    List<String> detached = new ArrayList<>(List.of("setsid"));
    detached.addAll(command);
    try {
      Files.createDirectories(output.getParent());
      return new ProcessBuilder(detached)
          .redirectInput(new File("/dev/null"))
          .redirectErrorStream(true)
          .redirectOutput(output.toFile())
          .start();
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO, "a background process could not be started (" + e.getMessage() + ")", e);
    }
  }

  private static boolean hasEnded(Process process) {
    try {
      return process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrefoilException(Reason.UNAVAILABLE, "interrupted while starting a process", e);
    }
  }

  private static String lastWords(Path output) {
    try {
      List<String> lines =
          new String(Files.readAllBytes(output), StandardCharsets.UTF_8).lines().toList();
      return lines.stream()
          .filter(line -> line.startsWith(ERROR_PREFIX))
          .reduce((first, second) -> second)
          .map(line -> line.substring(ERROR_PREFIX.length()))
          .orElse("the process ended before it was ready; see " + output);
    } catch (IOException e) {
      return "the process ended before it was ready, and left no word in " + output;
    }
  }
}
