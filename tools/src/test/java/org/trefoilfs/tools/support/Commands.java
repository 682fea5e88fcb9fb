package org.trefoilfs.tools.support;

import java.util.List;

/** System commands, for tests that need the machine itself. */
public final class Commands {
  private Commands() {}

  /** Output of a command; fails with it when the command does. */
  public static String run(String... command) {
    ProcessRun run = ProcessRun.of(command);
    if (run.failed()) {
      throw new IllegalStateException(
          String.join(" ", command) + ": status " + run.status() + ": " + run.output());
    }
    return run.output();
  }

  /** Runs a command line of words without spaces. */
  public static String runLine(String line) {
    return run(List.of(line.split(" ")).toArray(String[]::new));
  }

  /** For cleaning up: goes on whatever happens, and says whether it did not work. */
  public static boolean fails(String... command) {
    return ProcessRun.of(command).failed();
  }
}
