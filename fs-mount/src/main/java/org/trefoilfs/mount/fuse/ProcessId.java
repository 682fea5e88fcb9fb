package org.trefoilfs.mount.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process, told apart from a later one with the same number.
 *
 * @param started start time in clock ticks since boot, field 22 of {@code /proc/PID/stat} (proc(5))
 */
public record ProcessId(long pid, long started) {
  public static final ProcessId NONE = new ProcessId(0, 0);

  /** Fields after the command's closing parenthesis start with the third one, the state. */
  private static final int START_FIELD_AFTER_COMMAND = 19;

  private static final char ZOMBIE = 'Z';

  public static ProcessId current() {
    return of(ProcessHandle.current().pid());
  }

  public static ProcessId of(long pid) {
    return new ProcessId(pid, startOf(pid));
  }

  public boolean lives() {
    return pid > 0 && started != 0 && startOf(pid) == started;
  }

  /** 0 when there is no such process, or only what is left of it for its parent to see. */
  private static long startOf(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return fields[0].charAt(0) == ZOMBIE ? 0 : Long.parseLong(fields[START_FIELD_AFTER_COMMAND]);
    } catch (IOException | RuntimeException gone) {
      return 0;
    }
  }
}
