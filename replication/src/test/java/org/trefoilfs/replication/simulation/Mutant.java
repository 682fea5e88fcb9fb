package org.trefoilfs.replication.simulation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A mistake planted in the main code, to see whether the simulation notices: the checker's check.
 *
 * @param file within {@code org/trefoilfs/replication}
 * @param text that is there exactly once
 */
record Mutant(String name, String file, String text, String replacement) {
  private static final String PACKAGE = "org/trefoilfs/replication/";

  /** Of the mutated class. */
  String className() {
    return (PACKAGE + file).replace(".java", "").replace('/', '.');
  }

  /**
   * The source with the mistake in it.
   *
   * @throws IllegalStateException when the text is not there, or more than once: the code has
   *     changed, and the mutant must follow
   */
  String source() {
    Path path = sources().resolve(PACKAGE + file);
    try {
      String original = Files.readString(path);
      int at = original.indexOf(text);
      if (at < 0 || original.indexOf(text, at + 1) >= 0) {
        throw new IllegalStateException(
            "mutant %s: its text must be in %s exactly once, and is not:%n%s"
                .formatted(name, path, text));
      }
      return original.replace(text, replacement);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return name;
  }

  /** Beside the directory that the tests are compiled to. */
  private static Path sources() {
    try {
      Path classes =
          Path.of(Mutant.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return classes.resolve("../../src/main/java").normalize();
    } catch (java.net.URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
