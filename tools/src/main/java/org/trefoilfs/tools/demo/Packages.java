package org.trefoilfs.tools.demo;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.mount.LibfuseLibrary;
import org.trefoilfs.tools.mount.ProcessRun;

/** Installs from Debian what a demo lacks, where it may. */
public final class Packages {
  private static final String MISSING = "libfuse.so.2: not installed; ";

  private Packages() {}

  /** libfuse 2 and the programs beside it; NOT_SUPPORTED names what cannot be installed. */
  public static void ensureLibfuse(PrintWriter out) {
    if (LibfuseLibrary.isInstalled()) {
      return;
    }
    if (!"root".equals(System.getProperty("user.name"))
        || !Files.exists(Path.of("/usr/bin/apt-get"))) {
      throw new TrefoilException(
          Reason.NOT_SUPPORTED,
          MISSING + "run as root: apt-get install libfuse2 fuse3 (or your system's equivalent)");
    }
    out.println(
        "Installing libfuse2 and fuse3 from Debian (apt-get install), as they are missing.");
    out.flush();
    if (install().failed()) {
      ProcessRun.of("apt-get", "-qq", "update");
      ProcessRun second = install();
      if (second.failed()) {
        throw new TrefoilException(
            Reason.NOT_SUPPORTED,
            MISSING
                + "apt-get could not install it ("
                + second.output().lines().reduce("", (before, line) -> line)
                + "); run: apt-get install libfuse2 fuse3");
      }
    }
  }

  private static ProcessRun install() {
    return ProcessRun.of(
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-qq",
        "-y",
        "--no-install-recommends",
        "install",
        "libfuse2",
        "fuse3");
  }
}
