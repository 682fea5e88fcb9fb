package org.trefoilfs.mount.fuse.kernel;

import java.nio.file.Path;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.env.SystemTime;

/** A process that mounts at a directory, with options, says who keeps the mount, and waits. */
final class KeptMain {
  private KeptMain() {}

  public static void main(String[] args) throws Exception {
    KernelConnection connection = KernelConnection.open(SystemTime.INSTANCE);
    TestCluster cluster = new TestCluster("kernel");
    Vfs vfs = cluster.vfs(cluster.names(), TestCluster.OPTIONS.withHandles(connection.handles()));
    MountOptions options = MountOptions.parse(args[1], "trefoil:test");
    connection.mount(
        new KernelConnection.Serving(vfs, Path.of(args[0]), options),
        state ->
            System.out.println("keeper " + state.keeper().pid() + " " + state.keeper().started()));
    System.in.read();
  }
}
