package org.trefoilfs.tools.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * A line of {@code /proc/self/mountinfo} (proc(5)).
 *
 * @param type such as {@code ext4} or {@code fuse.trefoil}
 */
public record MountInfo(Path mountPoint, String type, String source) {
  private static final Path FILE = Path.of("/proc/self/mountinfo");
  private static final int MOUNT_POINT_FIELD = 4;
  private static final String OPTIONAL_FIELDS_END = " - ";

  /** The topmost mount at exactly this path. Never touches the path itself, which may hang. */
  public static Optional<MountInfo> at(Path directory) {
    Path wanted = directory.toAbsolutePath().normalize();
    return all().stream()
        .filter(mount -> mount.mountPoint().equals(wanted))
        .reduce((below, above) -> above);
  }

  public static List<MountInfo> all() {
    try {
      // Paths are bytes in any encoding; Latin-1 never fails, and equal bytes stay equal.
      return parse(Files.readString(FILE, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, FILE + ": cannot be read; is /proc mounted?", e);
    }
  }

  static List<MountInfo> parse(String text) {
    return text.lines().flatMap(line -> parseLine(line).stream()).toList();
  }

  private static Optional<MountInfo> parseLine(String line) {
    int end = line.indexOf(OPTIONAL_FIELDS_END);
    if (end < 0) {
      return Optional.empty();
    }
    String[] before = line.substring(0, end).split(" ", -1);
    String[] after = line.substring(end + OPTIONAL_FIELDS_END.length()).split(" ", -1);
    if (before.length <= MOUNT_POINT_FIELD || after.length < 2) {
      return Optional.empty();
    }
    try {
      Path point = Path.of(unescape(before[MOUNT_POINT_FIELD]));
      return Optional.of(new MountInfo(point, after[0], unescape(after[1])));
    } catch (InvalidPathException notInThisLocale) {
      return Optional.empty();
    }
  }

  /** Space, tab, newline and backslash are written as three octal digits. */
  private static String unescape(String field) {
    byte[] in = field.getBytes(StandardCharsets.ISO_8859_1);
    byte[] out = new byte[in.length];
    int length = 0;
    for (int i = 0; i < in.length; i++) {
      if (in[i] == '\\' && i + 3 < in.length) {
        out[length++] = (byte) Integer.parseInt(field.substring(i + 1, i + 4), 8);
        i += 3;
      } else {
        out[length++] = in[i];
      }
    }
    return new String(out, 0, length, StandardCharsets.UTF_8);
  }

  public boolean isFuse() {
    return type.equals("fuse") || type.startsWith("fuse.");
  }
}
