package org.trefoilfs.tools.mount;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Whether libfuse 2 is installed on this machine. */
public final class LibfuseLibrary {
  private static final String NAME = "libfuse.so.2";
  private static final List<Path> DIRECTORIES =
      List.of(
          Path.of("/lib/x86_64-linux-gnu"),
          Path.of("/usr/lib/x86_64-linux-gnu"),
          Path.of("/lib/aarch64-linux-gnu"),
          Path.of("/usr/lib/aarch64-linux-gnu"),
          Path.of("/lib64"),
          Path.of("/usr/lib64"),
          Path.of("/usr/local/lib"),
          Path.of("/usr/lib"),
          Path.of("/lib"));

  private LibfuseLibrary() {}

  public static boolean isInstalled() {
    return DIRECTORIES.stream().anyMatch(directory -> Files.exists(directory.resolve(NAME)));
  }
}
