package org.trefoilfs.mount.fuse;

import java.nio.file.Path;
import org.trefoilfs.mount.fuse.kernel.KernelTransport;
import org.trefoilfs.mount.fuse.libfuse.LibfuseTransport;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/** Brings the kernel's calls to a {@link Vfs}. */
public interface FuseTransport {
  /**
   * Mounts; returns when the mount answers. Fails with a {@code TrefoilException} that names the
   * remedy when something that a mount needs is missing.
   */
  MountHandle mount(Vfs vfs, Path mountPoint, MountOptions options);

  /** The transport of this name: {@code libfuse} or {@code kernel}. */
  static FuseTransport named(String name, TimeSource time) {
    return switch (name) {
      case "libfuse" -> new LibfuseTransport(time);
      case "kernel" -> new KernelTransport(time);
      default ->
          throw new TrefoilException(
              Reason.INVALID,
              "unknown transport '" + name + "'; use --transport libfuse or kernel");
    };
  }
}
