package org.trefoilfs.mount.testing;

import java.nio.file.Path;
import java.time.Duration;
import org.trefoilfs.mount.fuse.MountHandle;

/**
 * Mounts a volume in memory for work by hand: {@code MemoryMount MOUNTPOINT [OPTIONS [TRANSPORT]]}.
 */
public final class MemoryMount {
  private MemoryMount() {}

  public static void main(String[] args) throws Exception {
    try (TestCluster cluster = new TestCluster(args.length > 2 ? args[2] : "libfuse")) {
      MountHandle mount = cluster.mount(Path.of(args[0]), args.length > 1 ? args[1] : "");
      Runtime.getRuntime().addShutdownHook(new Thread(mount::unmount));
      while (!mount.awaitExit(Duration.ofHours(1))) {
        continue;
      }
      mount
          .statistics()
          .snapshot()
          .forEach((operation, figures) -> System.out.println(operation + " " + figures));
    }
  }
}
