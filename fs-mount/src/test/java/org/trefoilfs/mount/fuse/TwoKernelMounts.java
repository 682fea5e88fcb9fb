package org.trefoilfs.mount.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.testing.TestCluster;

/** Tests with one volume at two mounts of the kernel's, of which requests at the first count. */
abstract class TwoKernelMounts {
  @TempDir(cleanup = CleanupMode.NEVER)
  Path temp;

  final TestCluster cluster = new TestCluster("kernel");
  MountHandle here;
  Path a;
  Path b;

  @BeforeEach
  void mountBoth() throws Exception {
    here = cluster.mount(temp.resolve("a"), "");
    a = here.mountPoint();
    b = cluster.mount(temp.resolve("b"), "").mountPoint();
  }

  @AfterEach
  void unmount() throws IOException {
    cluster.close();
    Files.delete(a);
    Files.delete(b);
    Files.delete(temp);
  }

  /** Requests at {@code a} so far. */
  Map<Operation, Long> calls() {
    Map<Operation, Long> counts = new EnumMap<>(Operation.class);
    here.statistics().snapshot().forEach((operation, of) -> counts.put(operation, of.calls()));
    return counts;
  }
}
