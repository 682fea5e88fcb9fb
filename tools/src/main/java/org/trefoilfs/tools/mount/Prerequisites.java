package org.trefoilfs.tools.mount;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/** What a machine must have before anything can be mounted; NOT_SUPPORTED names what is missing. */
public final class Prerequisites {
  private static final Path DEVICE = Path.of("/dev/fuse");
  private static final List<Path> LIBRARY_DIRECTORIES =
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

  private Prerequisites() {}

  public static void check(FuseTransportKind transport) {
    checkDevice(DEVICE);
    if (transport == FuseTransportKind.LIBFUSE && !hasLibfuse()) {
      throw missing("libfuse.so.2: not installed; run: apt-get install libfuse2 fuse3");
    }
  }

  /** Whether libfuse 2 and the helper that unprivileged mounts need are installed. */
  public static boolean hasLibfuse() {
    return LIBRARY_DIRECTORIES.stream()
        .anyMatch(directory -> Files.exists(directory.resolve("libfuse.so.2")));
  }

  static void checkDevice(Path device) {
    if (!Files.exists(device)) {
      throw missing(
          device
              + ": does not exist, so nothing can be mounted here; run 'modprobe fuse', or start"
              + " the container with '--device /dev/fuse --cap-add SYS_ADMIN'");
    }
    try (RandomAccessFile opened = new RandomAccessFile(device.toFile(), "rw")) {
      opened.getFD();
    } catch (IOException e) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED,
          device
              + ": cannot be opened ("
              + e.getMessage()
              + "); run as root, or 'chmod 666 "
              + device
              + "'",
          e);
    }
  }

  private static TrefoilException missing(String message) {
    return new TrefoilException(Reason.NOT_SUPPORTED, message);
  }
}
