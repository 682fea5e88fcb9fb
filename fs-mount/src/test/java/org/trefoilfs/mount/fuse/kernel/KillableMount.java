package org.trefoilfs.mount.fuse.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.MountHandle;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.Unmounter;
import org.trefoilfs.mount.namespace.InheritedLock;
import org.trefoilfs.mount.namespace.NamespaceModule;
import org.trefoilfs.mount.namespace.Orphan;
import org.trefoilfs.mount.namespace.Query;
import org.trefoilfs.mount.namespace.Reply;
import org.trefoilfs.mount.namespace.ResentRequests;
import org.trefoilfs.mount.namespace.StateLogNames;
import org.trefoilfs.mount.testing.TestCluster;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.env.SystemTime;

/** A mount in this process of which one daemon after the other is killed, as far as it can tell. */
final class KillableMount implements AutoCloseable {
  /** So many calls end the readers of a daemon that is to die. */
  private static final int READERS = 4;

  final Path path;
  private final TestCluster cluster = new TestCluster("kernel");
  private final MountOptions options;
  private final List<KernelConnection> connections = new ArrayList<>();
  private final List<Thread> wakers = new ArrayList<>();
  private KernelConnection.State state;
  private DyingDevice device;
  private MountHandle served;
  private long session;

  KillableMount(Path path) throws Exception {
    this(path, "");
  }

  KillableMount(Path path, String options) throws Exception {
    this.path = Files.createDirectories(path);
    this.options = MountOptions.parse(options, "trefoil:test");
    KernelConnection connection = KernelConnection.open(transport());
    connections.add(connection);
    Vfs vfs = vfs(cluster.names(), connection);
    served = connection.mount(serving(vfs), noted -> state = noted);
  }

  private KernelTransport transport() {
    return new KernelTransport(
        SystemTime.INSTANCE, descriptor -> device = new DyingDevice(descriptor));
  }

  private Vfs vfs(StateLogNames names, KernelConnection connection) {
    session = names.session();
    return cluster.vfs(names, TestCluster.OPTIONS.withHandles(connection.handles()));
  }

  private KernelConnection.Serving serving(Vfs vfs) {
    return new KernelConnection.Serving(vfs, path, options);
  }

  KernelConnection.State state() {
    return state;
  }

  /** Of the daemon that serves now. */
  CallStatistics statistics() {
    return served.statistics();
  }

  /** Another mount of the volume, without a kernel. */
  Vfs other() {
    return cluster.vfs();
  }

  /** Another look at the same tree, which does not go through the mount. */
  StateLogNames names() {
    return cluster.names();
  }

  /** The daemon goes on, and does not answer requests of this kind any more. */
  void leaveUnanswered(Opcode opcode) {
    device.leaveUnanswered(opcode);
  }

  /** Files without names that nobody holds open. */
  List<Orphan> reclaimable() {
    byte[] query = new Query.Reclaimable(0, Long.MAX_VALUE, 10).toBytes();
    return ((Reply.Reclaimable) Reply.of(cluster.log.query(NamespaceModule.ID, query).join()))
        .orphans();
  }

  /** Nobody serves any more. */
  void kill() throws Exception {
    device.die();
    for (int i = 0; i < READERS; i++) {
      // Of one name the kernel would ask but once, and remember that there is none.
      Path name = path.resolve("nothing" + wakers.size());
      wakers.add(Thread.ofPlatform().daemon().start(() -> Files.exists(name)));
    }
    if (!device.awaitDeath()) {
      throw new AssertionError("the readers have not ended");
    }
  }

  void takeOver() {
    Optional<KernelConnection> left = KernelConnection.left(state, path, transport());
    KernelConnection next = left.orElseThrow();
    connections.add(next);
    StateLogNames names = cluster.names();
    ResentRequests resent = new ResentRequests();
    List<InheritedLock> inherited = names.inheritLocks(session).join();
    names.takeOver(session, resent).join();
    Vfs vfs = vfs(names, next);
    vfs.locks().inherited(inherited);
    served = next.resume(serving(vfs), state, resent, noted -> state = noted);
  }

  @Override
  public void close() throws Exception {
    connections.forEach(KernelConnection::close);
    if (MountTable.at(path).isPresent()) {
      Unmounter.unmount(path, Unmounter.Manner.LAZY);
    }
    for (Thread waker : wakers) {
      waker.join();
    }
    cluster.close();
    Files.delete(path);
  }
}
