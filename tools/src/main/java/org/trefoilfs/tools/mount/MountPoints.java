package org.trefoilfs.tools.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.Prerequisites;
import org.trefoilfs.mount.fuse.Unmounter;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** Checks directories before they are mounted on, and frees them of mounts. */
public final class MountPoints {
  /** More than one mount on a path comes from repeated mishaps; this many is no mishap. */
  private static final int MAX_STACKED = 8;

  /** The type that the kernel lists for every FUSE mount starts so. */
  private static final String FUSE = "fuse";

  /** A dead mount fails at once; calls on one that a keeper keeps may wait for minutes. */
  private static final Duration ANSWER = Duration.ofSeconds(3);

  private static final Logger LOG = LoggerFactory.getLogger(MountPoints.class);

  private MountPoints() {}

  /** The absolute path of a mount point, symbolic links resolved where they can be. */
  public static Path absolute(Path directory) {
    Path path = directory.toAbsolutePath().normalize();
    // What is mounted is not touched: its filesystem may be dead.
    if (isMounted(path)) {
      return path;
    }
    try {
      return path.toRealPath();
    } catch (IOException missing) {
      return path;
    }
  }

  public static boolean isMounted(Path directory) {
    return MountTable.at(directory).isPresent();
  }

  /**
   * Fails with what is wrong with the mount point, the machine or the options, before anything is
   * done: NOT_FOUND, NOT_DIRECTORY, NOT_EMPTY, BUSY, NOT_SUPPORTED, INVALID.
   */
  public static void check(MountSpec spec) {
    if (isDead(spec.path())) {
      throw new TrefoilException(
          Reason.BUSY,
          spec.directory()
              + ": a mount whose process is gone is still there; run: trefoil unmount "
              + spec.directory());
    }
    Prerequisites.check(spec.path(), options(spec));
  }

  /** The options of a mount, with what the kernel shows as its source. */
  public static MountOptions options(MountSpec spec) {
    return MountOptions.parse(String.join(",", spec.options()), "trefoil:" + spec.volume());
  }

  /**
   * Whether a mount's process is gone: every call on it then fails with ENOTCONN ("Transport
   * endpoint is not connected"). One on which calls wait is not dead.
   */
  public static boolean isDead(Path directory) {
    if (MountTable.at(directory).filter(mount -> mount.type().startsWith(FUSE)).isEmpty()) {
      return false;
    }
    CompletableFuture<Boolean> asked = new CompletableFuture<>();
    Thread.ofPlatform().daemon().start(() -> asked.complete(isNotConnected(directory)));
    return asked.completeOnTimeout(false, ANSWER.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  private static boolean isNotConnected(Path directory) {
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
      LOG.info("detaching the dead mount at {}", directory);
      Unmounter.unmount(directory, Unmounter.Manner.LAZY);
    }
  }

  /** Detaches a FUSE mount: the name is free at once, open files go on until they are closed. */
  public static void detach(Path directory) {
    Optional<MountTable.Mount> mounted = MountTable.at(directory);
    if (mounted.isEmpty()) {
      return;
    }
    if (!mounted.get().type().startsWith(FUSE)) {
      throw new TrefoilException(
          Reason.NOT_FOUND,
          directory + ": not a Trefoil mount (type " + mounted.get().type() + "); use umount");
    }
    Unmounter.unmount(directory, Unmounter.Manner.LAZY);
  }
}
