package org.trefoilfs.tools.library;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.FuseTransport;
import org.trefoilfs.mount.fuse.Operation;
import org.trefoilfs.mount.fuse.kernel.KernelConnection;
import org.trefoilfs.mount.fuse.kernel.KernelTransport;
import org.trefoilfs.mount.vfs.HandleTable;
import org.trefoilfs.mount.vfs.Vfs;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.tools.mount.FuseTransportKind;
import org.trefoilfs.tools.mount.MountFigures;
import org.trefoilfs.tools.mount.MountHandle;
import org.trefoilfs.tools.mount.MountNote;

/** Puts a mount together: session, names, bytes, POSIX, FUSE. */
final class FuseMount implements MountHandle {
  private static final Duration ORPHANS = Duration.ofSeconds(1);
  private static final Duration LETTING_GO = Duration.ofSeconds(3);
  private static final Duration SHIPPING = Duration.ofSeconds(25);
  private static final Duration FOR_EVER = Duration.ofDays(10_000);
  private static final Logger LOG = LoggerFactory.getLogger(FuseMount.class);

  private final MountSession session;
  private final org.trefoilfs.mount.fuse.MountHandle mounted;
  private final Optional<Kept> kept;
  private final ScheduledExecutorService housekeeping =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("mount housekeeping").unstarted(task));
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private FuseMount(
      MountSession session,
      org.trefoilfs.mount.fuse.MountHandle mounted,
      Vfs vfs,
      Optional<Kept> kept) {
    this.session = session;
    this.mounted = mounted;
    this.kept = kept;
    var unused =
        housekeeping.scheduleWithFixedDelay(
            () -> lookAfter(vfs), 0, ORPHANS.toMillis(), TimeUnit.MILLISECONDS);
    Thread.ofPlatform().daemon().name("mount " + mounted.mountPoint()).start(this::awaitEnd);
  }

  static MountHandle mount(MountParts parts) {
    Optional<Path> data = parts.member().data();
    FuseTransportKind transport = transport(parts.spec().transport());
    if (transport == FuseTransportKind.KERNEL && data.isPresent()) {
      MountNote note = MountNote.fresh(data.get(), parts.spec().path());
      return mountKept(parts, new Kept(KernelConnection.open(SystemTime.INSTANCE), note));
    }
    MountSession session = parts.session(any -> {});
    try {
      Vfs vfs = parts.vfs(session, HandleTable.NONE);
      session.attach(vfs);
      var mounted =
          FuseTransport.named(transport.toString(), SystemTime.INSTANCE)
              .mount(vfs, parts.spec().path(), parts.options());
      return new FuseMount(session, mounted, vfs, Optional.empty());
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  private static FuseTransportKind transport(FuseTransportKind wanted) {
    if (wanted != FuseTransportKind.AUTO) {
      return wanted;
    }
    return KernelTransport.isUsable() ? FuseTransportKind.KERNEL : FuseTransportKind.LIBFUSE;
  }

  private static MountHandle mountKept(MountParts parts, Kept kept) {
    @Nullable MountSession session = null;
    try {
      session = parts.session(kept.note()::opening);
      Vfs vfs = parts.vfs(session, kept.connection().handles());
      session.attach(vfs);
      var mounted = kept.connection().mount(parts.serving(vfs), kept.note()::kept);
      return new FuseMount(session, mounted, vfs, Optional.of(kept));
    } catch (RuntimeException e) {
      kept.end();
      if (session != null) {
        session.close();
      }
      throw e;
    }
  }

  /**
   * Serves on a mount that an earlier daemon has left; empty when there is none, or none that can
   * be served on.
   *
   * @param ending as of {@link Resumption}
   */
  static Optional<MountHandle> resume(MountParts parts, Function<List<Long>, Set<Long>> ending) {
    Path path = parts.spec().path();
    Optional<MountNote> note = parts.member().data().flatMap(data -> MountNote.left(data, path));
    Optional<KernelConnection.State> state = note.flatMap(MountNote::connection);
    if (note.isEmpty() || state.isEmpty()) {
      return Optional.empty();
    }
    Optional<KernelConnection> left = KernelConnection.left(state.get(), path, SystemTime.INSTANCE);
    if (left.isEmpty()) {
      note.get().abandon();
      return Optional.empty();
    }
    try {
      Kept kept = new Kept(left.get(), note.get());
      Resumption.Resumed resumed = new Resumption(parts, ending).of(kept, state.get());
      return Optional.of(
          new FuseMount(resumed.session(), resumed.mounted(), resumed.vfs(), Optional.of(kept)));
    } catch (RuntimeException e) {
      left.get().close();
      throw e;
    }
  }

  private void lookAfter(Vfs vfs) {
    vfs.pages().sweep();
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
      kept.ifPresent(Kept::end);
      session.close();
      ended.complete(null);
    }
  }

  @Override
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  @Override
  public MountFigures figures() {
    CallStatistics statistics = mounted.statistics();
    Map<String, MountFigures.Calls> calls = new TreeMap<>();
    statistics
        .snapshot()
        .forEach(
            (operation, of) ->
                calls.put(
                    operation.label(),
                    new MountFigures.Calls(of.calls(), of.failures(), of.totalNanos() / 1e9)));
    return new MountFigures(
        statistics.of(Operation.READ).bytes(),
        statistics.of(Operation.WRITE).bytes(),
        statistics.inProgress(),
        calls);
  }

  @Override
  public void leave() {
    if (kept.filter(some -> some.connection().leave()).isEmpty()) {
      close();
    } else if (closed.compareAndSet(false, true)) {
      housekeeping.shutdownNow();
      session.leave();
      LOG.info("the mount at {} is left to the next daemon", mounted.mountPoint());
    }
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
      kept.ifPresent(Kept::end);
    }
  }
}
