package org.trefoilfs.mount.fuse.libfuse;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.mount.fuse.ServedMount;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * A libfuse session and the threads that serve it. They are Java threads that call into libfuse,
 * not libfuse's own: those would be attached to and detached from the virtual machine at each call.
 * The session ends when the kernel says that the mount is gone; the last thread, or the last answer
 * that was still owed, frees it.
 */
final class LibfuseSession extends ServedMount {
  private static final Logger log = LoggerFactory.getLogger(LibfuseSession.class);

  /** How long the kernel may take for its first request, INIT. */
  private static final Duration START = Duration.ofSeconds(10);

  private static final int MAX_BACKGROUND_AT = 28;
  private static final int CONGESTION_AT = 32;

  private final Libfuse library;
  private final Path path;
  private final OperationTable table;
  private final CountDownLatch initialized = new CountDownLatch(1);
  private final LaterCalls later;
  private @Nullable Pointer channel;
  private @Nullable Pointer session;

  LibfuseSession(
      Libfuse library,
      Path path,
      OperationTable table,
      LaterCalls later,
      CallStatistics statistics) {
    super(path, statistics);
    this.library = library;
    this.path = path;
    this.table = table;
    this.later = later;
    table.put(OperationTable.Slot.INIT, Callbacks.Init.class, this::init);
  }

  void start(Pointer args, int threads) {
    Pointer opened = library.fuse_mount(path.toString(), args);
    if (opened == null) {
      library.fuse_opt_free_args(args);
      throw new TrefoilException(
          Reason.IO,
          "the kernel refused to mount "
              + path
              + "; libfuse has printed why. In a container: --device /dev/fuse --cap-add"
              + " SYS_ADMIN");
    }
    channel = opened;
    Pointer made = library.fuse_lowlevel_new(args, table.memory(), table.size(), null);
    library.fuse_opt_free_args(args);
    if (made == null) {
      library.fuse_unmount(path.toString(), opened);
      throw new TrefoilException(
          Reason.INTERNAL, "libfuse refused its options; it has printed why");
    }
    session = made;
    library.fuse_session_add_chan(made, opened);
    later.enter(threads, () -> destroy(made, opened));
    for (int i = 0; i < threads; i++) {
      Thread.ofPlatform().name("fuse-" + i).daemon().start(() -> work(made, opened));
    }
    awaitStart();
  }

  private void awaitStart() {
    boolean answered = false;
    try {
      answered = initialized.await(START.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!answered || MountTable.at(path).isEmpty()) {
      unmount();
      throw new TrefoilException(
          Reason.UNAVAILABLE,
          "the kernel has not begun to use the mount " + path + " within " + START);
    }
  }

  /** {@code struct fuse_conn_info} of fuse_common.h: unsigned ints. */
  private void init(Pointer userData, Pointer connection) {
    connection.putInt(MAX_BACKGROUND_AT, MAX_BACKGROUND);
    connection.putInt(CONGESTION_AT, CONGESTION_THRESHOLD);
    log.info("mounted {}: FUSE protocol {}.{}", path, connection.getInt(0), connection.getInt(4));
    initialized.countDown();
  }

  private void work(Pointer in, Pointer from) {
    try {
      long size = library.fuse_chan_bufsize(from);
      Pointer buffer = Memory.allocateDirect(Libfuse.runtime(library), size);
      Pointer ref = Memory.allocateDirect(Libfuse.runtime(library), 8);
      while (library.fuse_session_exited(in) == 0) {
        ref.putPointer(0, from);
        int length = library.fuse_chan_recv(ref, buffer, size);
        if (length == -Errno.EINTR || length == -Errno.EAGAIN) {
          continue;
        }
        if (length <= 0) {
          break;
        }
        library.fuse_session_process(in, buffer, length, from);
      }
    } catch (RuntimeException | Error e) {
      log.error("a thread that serves {} died", path, e);
    } finally {
      library.fuse_session_exit(in);
      later.ended();
      later.leave();
    }
  }

  private void destroy(Pointer in, Pointer from) {
    library.fuse_session_remove_chan(from);
    library.fuse_session_destroy(in);
    library.fuse_unmount(path.toString(), from);
    ended();
  }
}
