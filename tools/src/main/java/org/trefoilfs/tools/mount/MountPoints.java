package org.trefoilfs.tools.mount;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Checks directories before they are mounted on, and frees them of mounts. */
public final class MountPoints {
  private MountPoints() {}

  /**
   * The absolute path of a mount point, symbolic links of its parents resolved where they can be.
   */
  public static Path absolute(Path directory) {
    Path path = directory.toAbsolutePath().normalize();
    Path parent = path.getParent();
    Path name = path.getFileName();
    if (parent == null || name == null) {
      return path;
    }
    try {
      // A mounted directory itself is not touched: its filesystem may be dead.
      return MountInfo.at(path).isPresent() ? path : path.toRealPath();
    } catch (IOException missing) {
      return path;
    }
  }

  /** NOT_FOUND, NOT_DIRECTORY, NOT_EMPTY or EXISTS when nothing can be mounted there. */
  public static void checkFree(Path directory) {
    Optional<MountInfo> mounted = MountInfo.at(directory);
    if (mounted.isPresent()) {
      throw new TrefoilException(
          Reason.EXISTS,
          directory
              + ": already mounted ("
              + mounted.get().source()
              + ", type "
              + mounted.get().type()
              + "); choose another directory, or run: trefoil unmount "
              + directory);
    }
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      throw new TrefoilException(
          Reason.NOT_FOUND, directory + ": mount point does not exist; run: mkdir -p " + directory);
    }
    if (!Files.isDirectory(directory)) {
      throw new TrefoilException(
          Reason.NOT_DIRECTORY, directory + ": mount point is not a directory; choose another one");
    }
    if (!isEmpty(directory)) {
      throw new TrefoilException(
          Reason.NOT_EMPTY,
          directory
              + ": mount point is not empty, and its files would be hidden; choose an empty"
              + " directory");
    }
  }

  private static boolean isEmpty(Path directory) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      return !entries.iterator().hasNext();
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.IO, directory + ": mount point cannot be read (" + e.getMessage() + ")", e);
    }
  }

  public static boolean isMounted(Path directory) {
    return MountInfo.at(directory).isPresent();
  }

  /**
   * Whether a mount's process is gone: every call on it then fails with ENOTCONN ("Transport
   * endpoint is not connected").
   */
  public static boolean isDead(Path directory) {
    if (MountInfo.at(directory).filter(MountInfo::isFuse).isEmpty()) {
      return false;
    }
    try {
      Files.getLastModifiedTime(directory);
      return false;
    } catch (IOException e) {
      String message = String.valueOf(e.getMessage());
      return message.contains("not connected") || message.contains("abort");
    }
  }

  /** Detaches every dead mount at this path, so that it can be mounted on again. */
  public static void detachDead(Path directory) {
    for (int stacked = 0; stacked < MAX_STACKED && isDead(directory); stacked++) {
      detach(directory);
    }
  }

  /** More than one mount on a path comes from repeated mishaps; this many is no mishap. */
  private static final int MAX_STACKED = 8;

  /** umount(2) with MNT_DETACH: the name is free at once, open files go on until closed. */
  public static void detach(Path directory) {
    ProcessRun umount = ProcessRun.of("umount", "-l", directory.toString());
    if (umount.failed() && MountInfo.at(directory).isPresent()) {
      ProcessRun fusermount = ProcessRun.of("fusermount", "-u", "-z", directory.toString());
      if (fusermount.failed() && MountInfo.at(directory).isPresent()) {
        throw new TrefoilException(
            Reason.BUSY,
            directory
                + ": cannot be unmounted ("
                + umount.output()
                + "); run as root: umount -l "
                + directory);
      }
    }
  }
}
