package org.trefoilfs.tools.library;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.FuseTransport;
import org.trefoilfs.mount.fuse.MountOptions;
import org.trefoilfs.mount.namespace.CommitRule;
import org.trefoilfs.mount.vfs.Capacity;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.mount.vfs.VfsOptions;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountPoints;
import org.trefoilfs.tools.mount.MountSpec;

/** Puts a mount together: session, names, bytes, POSIX, FUSE. */
final class FuseMount implements MountHandle {
  private static final Duration ORPHANS = Duration.ofSeconds(1);
  private static final Duration LETTING_GO = Duration.ofSeconds(3);
  private static final Duration SHIPPING = Duration.ofSeconds(25);
  private static final Duration FOR_EVER = Duration.ofDays(10_000);
  private static final Logger LOG = LoggerFactory.getLogger(FuseMount.class);

  private final MountSession session;
  private final org.trefoilfs.mount.fuse.MountHandle mounted;
  private final ScheduledExecutorService housekeeping =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("mount housekeeping").unstarted(task));
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private FuseMount(MountSession session, org.trefoilfs.mount.fuse.MountHandle mounted, Vfs vfs) {
    this.session = session;
    this.mounted = mounted;
    var unused =
        housekeeping.scheduleWithFixedDelay(
            () -> lookAfterOrphans(vfs), 0, ORPHANS.toMillis(), TimeUnit.MILLISECONDS);
    Thread.ofPlatform().daemon().name("mount " + mounted.mountPoint()).start(this::awaitEnd);
  }

  static MountHandle mount(
      Member member, VolumeInfo volume, MountSpec spec, Supplier<Capacity> capacity) {
    MountOptions options = MountPoints.options(spec);
    FuseTransport transport = FuseTransport.named(spec.transport().toString(), SystemTime.INSTANCE);
    MountSession session = new MountSession(member, volume, spec.directory());
    VfsOptions usual =
        VfsOptions.outlasting(member.patience(), rule -> isAsync(member, session, rule));
    try {
      Vfs vfs =
          new Vfs(
              session.names(),
              session.volume(),
              capacity,
              SystemTime.INSTANCE,
              options.timeout().map(usual::withTimeout).orElse(usual));
      session.attach(vfs);
      return new FuseMount(session, transport.mount(vfs, spec.path(), options), vfs);
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  /** On full disks what cannot be promised is not acknowledged: writes go through, and fail. */
  private static boolean isAsync(Member member, MountSession session, CommitRule rule) {
    return rule.in(session.latest().commit()) == CommitMode.ASYNC && !member.isFull();
  }

  private void lookAfterOrphans(Vfs vfs) {
    try {
      var unused =
          vfs.orphans()
              .poll()
              .orTimeout(ORPHANS.toMillis() * 10, TimeUnit.MILLISECONDS)
              .thenAccept(session::lookedAfter)
              .exceptionally(
                  failure -> {
                    LOG.debug("orphans could not be looked after", failure);
                    return null;
                  });
    } catch (TrefoilException e) {
      LOG.debug("orphans could not be looked after", e);
    }
  }

  private void awaitEnd() {
    try {
      boolean gone = false;
      while (!gone) {
        gone = mounted.awaitExit(FOR_EVER);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      housekeeping.shutdownNow();
      session.close();
      ended.complete(null);
    }
  }

  @Override
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      mounted.unmount();
      Duration letting = session.isDrained() ? LETTING_GO : SHIPPING;
      // A busy mount is detached, and serves on until its last user lets go.
      var unused =
          ended
              .copy()
              .orTimeout(letting.toMillis(), TimeUnit.MILLISECONDS)
              .exceptionally(stillInUse -> null)
              .join();
    }
  }
}
