package org.trefoilfs.tools.acceptance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A small Java program of the tests in a process of its own, that uses a mount until its standard
 * input ends: a call that hangs can be waited for, and killed, only from outside.
 */
final class Companion implements AutoCloseable {
  private static final Duration END = Duration.ofSeconds(60);
  private static final Duration THINKING = Duration.ofMillis(20);

  private final Process process;
  private final Path output;

  private Companion(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * For programs to call now and then: faults are to be what holds their calls up, and not a
   * processor that they keep busy themselves.
   */
  static void think() {
    LockSupport.parkNanos(THINKING.toNanos());
  }

  static Companion start(Class<?> program, String... arguments) {
    try {
      Path output = Files.createTempFile(program.getSimpleName(), ".out");
      List<String> command =
          new ArrayList<>(
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx64m",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty("java.class.path"),
                  program.getName()));
      command.addAll(List.of(arguments));
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      return new Companion(process, output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it has printed so far. */
  String output() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lets it end by itself, and returns all of its output; fails when a call of it hangs. */
  String stop() {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("a call has not returned within " + END + ": " + output());
      }
      return output();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      Files.deleteIfExists(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** In the program itself: whether {@link #stop} was called. */
  static final class Until {
    private volatile boolean over;

    static Until inputEnds() {
      Until until = new Until();
      Thread.ofPlatform().daemon().start(until::awaitEnd);
      return until;
    }

    boolean isOver() {
      return over;
    }

    private void awaitEnd() {
      try {
        while (System.in.read() >= 0) {
          // Nobody writes; only the end counts.
        }
      } catch (IOException e) {
        // Ends as well.
      }
      over = true;
    }
  }
}
