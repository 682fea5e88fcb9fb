package org.trefoilfs.tools.support;

import java.nio.file.Path;
import java.time.Duration;

/** Compares trees of files, and times what is done to them. */
public final class Trees {
  private Trees() {}

  /**
   * What rsync(1) would change to make {@code other} equal, contents compared; empty when equal.
   */
  public static String differences(Path tree, Path other) {
    return Commands.run(
        "rsync",
        "-aHAX",
        "--checksum",
        "--delete",
        "--dry-run",
        "--itemize-changes",
        tree + "/",
        other + "/");
  }

  public static Duration timed(Runnable action) {
    long began = System.nanoTime();
    action.run();
    return Duration.ofNanos(System.nanoTime() - began);
  }
}
