package org.trefoilfs.tools.acceptance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.Assertions;

/** What a program printed, and how it ended. Output is Latin-1: names of files are bytes. */
record Run(List<String> command, int status, String output, Duration took) {
  /** No program here may run longer: a hanging call must fail its test, not the whole run. */
  static final Duration LONGEST = Duration.ofMinutes(40);

  /** Runs in {@code directory}; standard error goes with the output. */
  static Run in(Path directory, String... command) {
    return in(directory, LONGEST, List.of(command));
  }

  static Run in(Path directory, Duration longest, List<String> command) {
    try {
      Path output = Files.createTempFile("run", ".out");
      long began = System.nanoTime();
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(output.toFile())
              .start();
      boolean ended = process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
      String text = Files.readString(output, StandardCharsets.ISO_8859_1);
      Files.delete(output);
      Duration took = Duration.ofNanos(System.nanoTime() - began);
      return new Run(command, ended ? process.exitValue() : -1, text, took);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Runs a script of bash, which stops at its first failure. */
  static Run script(Path directory, String script, String... arguments) {
    List<String> command =
        new java.util.ArrayList<>(List.of("bash", "-euo", "pipefail", "-c", script, "bash"));
    command.addAll(List.of(arguments));
    return in(directory, LONGEST, command);
  }

  /** Fails the test unless the status is 0. */
  Run succeeded() {
    Assertions.assertThat(status).as("%s%n%s", command, end(output)).isZero();
    return this;
  }

  private static String end(String text) {
    return text.substring(Math.max(0, text.length() - 4_000));
  }
}
