package org.trefoilfs.tools.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a process runs: two processes with equal places see the same mount points.
 *
 * @param boot {@code /proc/sys/kernel/random/boot_id}: names the running kernel
 * @param mountNamespace {@code /proc/self/ns/mnt}
 */
public record Here(String boot, String mountNamespace) {
  public static Here current() {
    return new Here(
        read(Path.of("/proc/sys/kernel/random/boot_id")), link(Path.of("/proc/self/ns/mnt")));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }

  private static String link(Path file) {
    try {
      return Files.readSymbolicLink(file).toString();
    } catch (IOException e) {
      return "unknown";
    }
  }
}
