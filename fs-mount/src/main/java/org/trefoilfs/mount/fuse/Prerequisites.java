package org.trefoilfs.mount.fuse;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** What a mount needs, checked before the first native call, each failure with its remedy. */
public final class Prerequisites {
  private static final Path DEVICE = Path.of("/dev/fuse");
  private static final Path FUSE_CONF = Path.of("/etc/fuse.conf");
  private static final List<Path> BIN =
      List.of(Path.of("/bin"), Path.of("/usr/bin"), Path.of("/usr/local/bin"));

  private Prerequisites() {}

  /** Fails with the first thing that is missing. */
  public static void check(Path mountPoint, MountOptions options) {
    checkDevice(DEVICE);
    if (!isRoot()) {
      checkFusermount();
      checkAllowOther(options);
    }
    checkMountPoint(mountPoint);
  }

  /** Whether this process mounts and unmounts by itself, not through fusermount. */
  public static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  static void checkDevice(Path device) {
    if (!Files.exists(device)) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED,
          device
              + " does not exist: run `modprobe fuse`; a container needs"
              + " --device /dev/fuse --cap-add SYS_ADMIN");
    }
    if (!Files.isReadable(device) || !Files.isWritable(device)) {
      throw new TrefoilException(
          Reason.ACCESS_DENIED,
          device + " may not be opened by this user: run as root, or `chmod 666 " + device + "`");
    }
  }

  private static void checkFusermount() {
    if (BIN.stream().noneMatch(dir -> Files.isExecutable(dir.resolve("fusermount")))) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED,
          "fusermount, which mounts for other users than root, is missing: `apt install fuse`, or"
              + " run as root");
    }
  }

  private static void checkAllowOther(MountOptions options) {
    if (!options.has(MountOptions.Flag.ALLOW_OTHER)) {
      return;
    }
    try {
      if (Files.readAllLines(FUSE_CONF).stream()
          .map(String::strip)
          .anyMatch("user_allow_other"::equals)) {
        return;
      }
    } catch (IOException e) {
      // Absent or unreadable: nothing is allowed, as below.
    }
    throw new TrefoilException(
        Reason.NOT_PERMITTED,
        "allow_other is for root alone here: add the line user_allow_other to "
            + FUSE_CONF
            + ", or mount without it");
  }

  static void checkMountPoint(Path path) {
    if (MountTable.at(path).isPresent()) {
      throw new TrefoilException(
          Reason.BUSY, path + " is a mount point already: `trefoil unmount " + path + "` first");
    }
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new TrefoilException(
          Reason.NOT_FOUND, "mount point " + path + " does not exist: `mkdir -p " + path + "`");
    }
    if (!Files.isDirectory(path)) {
      throw new TrefoilException(
          Reason.NOT_DIRECTORY, "mount point " + path + " is not a directory: choose another");
    }
    checkEmpty(path);
  }

  private static void checkEmpty(Path path) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      if (entries.iterator().hasNext()) {
        throw new TrefoilException(
            Reason.NOT_EMPTY,
            "mount point "
                + path
                + " is not empty, and what is in it would be hidden: choose an"
                + " empty directory");
      }
    } catch (NoSuchFileException e) {
      throw new TrefoilException(Reason.NOT_FOUND, "mount point " + path + " has gone", e);
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.ACCESS_DENIED, "mount point " + path + " cannot be read: " + e.getMessage(), e);
    }
  }
}
