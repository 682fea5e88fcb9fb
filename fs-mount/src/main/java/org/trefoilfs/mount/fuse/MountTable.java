package org.trefoilfs.mount.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** The kernel's list of mounts, {@code /proc/self/mountinfo} (proc_pid_mountinfo(5)). */
public final class MountTable {
  private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

  private MountTable() {}

  /**
   * A mount: where, of which type ({@code fuse.trefoil}), and its source.
   *
   * @param device {@code major:minor} as in {@code st_dev}: the same at each bind mount of it
   * @param shared whether what is mounted beneath it shows in copies of this mount namespace
   */
  public record Mount(
      String mountPoint, String type, String source, String device, boolean shared) {}

  /** The topmost mount at exactly this path; the path is not resolved, as it may be dead. */
  public static Optional<Mount> at(Path path) {
    String wanted = path.toAbsolutePath().normalize().toString();
    return all().stream().filter(m -> m.mountPoint().equals(wanted)).reduce((a, b) -> b);
  }

  /** The topmost mount that the path lies in; the path is not resolved. */
  public static Optional<Mount> containing(Path path) {
    for (Path above = path.toAbsolutePath().normalize(); above != null; above = above.getParent()) {
      Optional<Mount> mount = at(above);
      if (mount.isPresent()) {
        return mount;
      }
    }
    return Optional.empty();
  }

  public static List<Mount> all() {
    try {
      // ISO-8859-1 keeps every byte; the octal escapes are undone below.
      return Files.readAllLines(MOUNTINFO, StandardCharsets.ISO_8859_1).stream()
          .map(MountTable::parse)
          .toList();
    } catch (IOException e) {
      throw new TrefoilException(Reason.IO, "cannot read " + MOUNTINFO + "; is /proc mounted?", e);
    }
  }

  private static Mount parse(String line) {
    int dash = line.indexOf(" - ");
    String[] left = line.substring(0, dash).split(" ", -1);
    String[] right = line.substring(dash + 3).split(" ", -1);
    // Optional fields follow the first six.
    boolean shared = Arrays.stream(left).skip(6).anyMatch(field -> field.startsWith("shared:"));
    return new Mount(unescape(left[4]), right[0], unescape(right[1]), left[2], shared);
  }

  /** Undoes {@code \040} and its like. */
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
}
