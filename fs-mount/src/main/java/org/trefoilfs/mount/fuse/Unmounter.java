package org.trefoilfs.mount.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Takes a mount away, whether or not its daemon lives: nothing here touches the mounted tree, which
 * would hang or fail with "Transport endpoint is not connected".
 */
public final class Unmounter {
  private static final int MNT_DETACH = 2;
  private static final int UMOUNT_NOFOLLOW = 8;

  /** fusermount answers at once; a hung one is not waited for. */
  private static final long TIMEOUT_S = 20;

  private Unmounter() {}

  /** Whether a mount in use is refused, or detached at once and cleaned up later. */
  public enum Manner {
    PLAIN,
    LAZY
  }

  /** NOT_FOUND when nothing is mounted there, BUSY when it is in use. */
  public static void unmount(Path mountPoint, Manner manner) {
    Path path = mountPoint.toAbsolutePath().normalize();
    if (MountTable.at(path).isEmpty()) {
      throw new TrefoilException(Reason.NOT_FOUND, "nothing is mounted at " + path);
    }
    if (Prerequisites.isRoot()) {
      bySystemCall(path, manner);
    } else {
      byFusermount(path, manner);
    }
  }

  private static void bySystemCall(Path path, Manner manner) {
    int flags = UMOUNT_NOFOLLOW | (manner == Manner.LAZY ? MNT_DETACH : 0);
    if (Native.LIBC.umount2(path.toString(), flags) != 0) {
      int errno = Runtime.getRuntime(Native.LIBC).getLastError();
      throw failure(path, "errno " + errno, errno == Errno.EBUSY);
    }
  }

  private static void byFusermount(Path path, Manner manner) {
    List<String> command =
        manner == Manner.LAZY
            ? List.of("fusermount", "-u", "-z", path.toString())
            : List.of("fusermount", "-u", path.toString());
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .start();
      if (!process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw failure(path, "fusermount gave no answer within " + TIMEOUT_S + " s", false);
      }
      if (process.exitValue() != 0) {
        byte[] said = process.getInputStream().readAllBytes();
        String text = new String(said, StandardCharsets.UTF_8).strip();
        throw failure(path, text, text.toLowerCase(Locale.ROOT).contains("busy"));
      }
    } catch (IOException e) {
      throw failure(path, "fusermount cannot be run: " + e.getMessage(), false);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure(path, "interrupted", false);
    }
  }

  private static TrefoilException failure(Path path, String why, boolean busy) {
    return busy
        ? new TrefoilException(
            Reason.BUSY,
            path + " is in use: `fuser -vm " + path + "` shows by whom; --lazy detaches it at once")
        : new TrefoilException(Reason.IO, "cannot unmount " + path + ": " + why);
  }

  /** umount(2). Public for jnr-ffi, which implements it. */
  public interface Libc {
    int umount2(String target, int flags);
  }

  private static final class Native {
    static final Libc LIBC = LibraryLoader.create(Libc.class).load("c");
  }
}
