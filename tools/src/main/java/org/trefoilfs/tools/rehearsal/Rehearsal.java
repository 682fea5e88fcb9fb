package org.trefoilfs.tools.rehearsal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.trefoilfs.tools.daemon.Jvm;

/**
 * Makes the ahead-of-time cache that {@link Jvm} starts daemons with (JEP 483, 514 and 515):
 * classes loaded and linked, and methods profiled, in a process that plays {@link Play}. A host
 * then starts with 1.9 s of processor time instead of 3.9.
 *
 * <p>A cache belongs to one JDK and one class path; the JVM ignores one that does not fit.
 */
public final class Rehearsal {
  private Rehearsal() {}

  /** Argument: the file to make. Without one, this is the process that is recorded. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments.length == 0) {
      played();
    } else {
      record(Path.of(arguments[0]).toAbsolutePath());
    }
  }

  private static void played() throws IOException {
    Path root = Files.createTempDirectory("trefoil-rehearsal");
    try {
      new Play(root).run();
    } finally {
      delete(root);
    }
    // Threads of libraries must not keep the process alive: its end is when the cache is made.
    System.exit(0);
  }

  /** Under another name first: a cache that is cut off is never used. */
  private static void record(Path cache) throws IOException, InterruptedException {
    Path unfinished = cache.resolveSibling(cache.getFileName() + ".new");
    Jvm jvm = new Jvm(Rehearsal.class.getName());
    List<String> command = new ArrayList<>(jvm.recording(unfinished, List.of()));
    int status = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (status != 0 || !Files.exists(unfinished)) {
      System.err.println("no ahead-of-time cache was made: " + command + " ended with " + status);
      System.exit(1);
    }
    Files.move(unfinished, cache, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
