package org.trefoilfs.mount.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.mount.fuse.FuseTransport;
import org.trefoilfs.mount.fuse.MountHandle;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.Unmounter;
import org.trefoilfs.mount.fuse.kernel.KernelConnection;
import org.trefoilfs.mount.namespace.Command;
import org.trefoilfs.mount.namespace.CommitRule;
import org.trefoilfs.mount.namespace.InMemoryStateLog;
import org.trefoilfs.mount.namespace.LookupCache;
import org.trefoilfs.mount.namespace.Names;
import org.trefoilfs.mount.namespace.NamespaceModule;
import org.trefoilfs.mount.namespace.StateLogNames;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.mount.vfs.HandleTable;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.mount.vfs.VfsOptions;
import org.trefoilfs.replication.env.SystemTime;

/** One namespace and one volume in memory, and the mounts of it; takes them away when closed. */
public final class TestCluster implements AutoCloseable {
  public static final VfsOptions OPTIONS =
      new VfsOptions(
          Duration.ofSeconds(5),
          Duration.ofMillis(100),
          rule -> rule == CommitRule.ASYNC,
          HandleTable.NONE,
          false);

  /** So short that mounts which change the same things remember them again in between. */
  private static final Duration CONTENTION = Duration.ofMillis(5);

  private final InMemoryStateLog memory = new InMemoryStateLog(new NamespaceModule());
  public final GatedStateLog log = new GatedStateLog(memory);
  public final FaultyVolume volume = new FaultyVolume(new MemoryVolume());
  private final List<MountHandle> mounts = new ArrayList<>();
  private final List<KernelConnection> connections = new ArrayList<>();
  private final List<Vfs> served = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService housekeeping =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("housekeeping").unstarted(task));
  private final String transport;
  private final VfsOptions options;
  private long lastSession = 100;

  /** With mounts through libfuse. */
  public TestCluster() {
    this("libfuse");
  }

  /** With mounts through the transport of this name; "async" after it: of an async volume. */
  public TestCluster(String kind) {
    transport = kind.split(" ")[0];
    options =
        kind.endsWith(" async")
            ? new VfsOptions(
                OPTIONS.timeout(),
                OPTIONS.timesInterval(),
                rule -> rule != CommitRule.SYNC,
                HandleTable.NONE,
                false)
            : OPTIONS;
    housekeeping.scheduleWithFixedDelay(
        () -> served.forEach(vfs -> vfs.pages().sweep()), 1, 1, TimeUnit.SECONDS);
  }

  public StateLogNames names() {
    LookupCache cache = new LookupCache(SystemTime.INSTANCE, LookupCache.ROWS, CONTENTION);
    return StateLogNames.open(log, 1, ++lastSession, SystemTime.INSTANCE, cache).join();
  }

  public Vfs vfs() {
    return vfs(options);
  }

  public Vfs vfs(VfsOptions options) {
    return vfs(names(), options);
  }

  public Vfs vfs(Names names, VfsOptions options) {
    Capacity capacity = new Capacity(64L << 30, 48L << 30, 1_000_000, 999_000);
    return new Vfs(names, volume, () -> capacity, SystemTime.INSTANCE, options);
  }

  public MountHandle mount(Path at, String text) throws Exception {
    boolean checked = MountOptions.parse(text, "").has(MountOptions.Flag.ACL);
    return mount(vfs(options.withAccessLists(checked)), at, text);
  }

  public MountHandle mount(Vfs vfs, Path at, String options) throws Exception {
    Files.createDirectories(at);
    MountOptions parsed = MountOptions.parse(options, "trefoil:test");
    MountHandle handle =
        transport.equals("kernel") ? kept(vfs, at, parsed) : plain(vfs, at, parsed);
    mounts.add(handle);
    served.add(vfs);
    return handle;
  }

  private MountHandle plain(Vfs vfs, Path at, MountOptions options) {
    return FuseTransport.named(transport, SystemTime.INSTANCE).mount(vfs, at, options);
  }

  /** As a host mounts. */
  private MountHandle kept(Vfs vfs, Path at, MountOptions options) {
    KernelConnection connection = KernelConnection.open(SystemTime.INSTANCE);
    connections.add(connection);
    return connection.mount(new KernelConnection.Serving(vfs, at, options), state -> {});
  }

  /** Requests that wait for locks. */
  public int lockWaits() {
    return rows('b');
  }

  /** Files with locks. */
  public int lockedFiles() {
    return rows('k');
  }

  private int rows(char kind) {
    int[] count = new int[1];
    byte[] prefix = {(byte) kind};
    // As the log itself does: it applies on its callers' threads.
    synchronized (memory) {
      memory.state(NamespaceModule.ID).scan(prefix, prefix, (key, value) -> ++count[0] > 0);
    }
    return count[0];
  }

  /** What the caretaker does when a session is over and fenced. */
  public void endSession(long session) {
    log.submit(NamespaceModule.ID, new Command.DropPins(session).toBytes()).join();
  }

  @Override
  public void close() {
    housekeeping.shutdownNow();
    volume.heal();
    log.open();
    for (MountHandle mount : mounts) {
      if (MountTable.at(mount.mountPoint()).isPresent()) {
        Unmounter.unmount(mount.mountPoint(), Unmounter.Manner.LAZY);
      }
    }
    connections.forEach(KernelConnection::close);
  }
}
