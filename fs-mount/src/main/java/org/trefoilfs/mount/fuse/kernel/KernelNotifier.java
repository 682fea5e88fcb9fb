package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.Nodes;
import org.trefoilfs.mount.namespace.LookupCache;
import org.trefoilfs.mount.vfs.KernelPages;

/**
 * Makes the kernel forget (fuse_notify of fs/fuse/dev.c). A name is forgotten under the lock of its
 * directory (fuse_reverse_inval_entry of fs/fuse/dir.c), which calls hold that wait for our answer,
 * and pages when reads of them are answered: each has threads of its own.
 */
final class KernelNotifier implements LookupCache.Kernel, KernelPages.Kernel {
  /** FUSE_NOTIFY_INVAL_INODE, FUSE_NOTIFY_INVAL_ENTRY and FUSE_NOTIFY_STORE of linux/fuse.h. */
  private static final int INVAL_INODE = 2;

  private static final int INVAL_ENTRY = 3;
  private static final int STORE = 4;

  private static final int INODE_OUT = 24;
  private static final int STORE_OUT = 24;
  private static final int ENTRY_OUT = 16;
  private static final int THREADS = 8;
  private static final int IDLE_S = 10;
  private static final Logger log = LoggerFactory.getLogger(KernelNotifier.class);

  private final Device device;
  private final Nodes nodes;
  private final KernelSession session;
  private final KernelPages pages;
  private final Executor ofNames = threads("fuse-notify");
  private final Executor ofPages = threads("fuse-pages");

  KernelNotifier(Device device, Answers answers, KernelSession session) {
    this.device = device;
    this.nodes = answers.nodes();
    this.pages = answers.pages();
    this.session = session;
  }

  private static Executor threads(String name) {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE_S,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name(name).factory());
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  @Override
  public CompletableFuture<?> forgetEntry(long parent, byte[] name) {
    ByteBuffer body = sized(ENTRY_OUT + name.length + 1);
    body.putLong(nodes.node(parent)).putInt(name.length).putInt(0).put(name).rewind();
    return CompletableFuture.runAsync(() -> notify(INVAL_ENTRY, body), ofNames);
  }

  /** An offset below 0 leaves the pages. */
  @Override
  public CompletableFuture<@Nullable Void> forgetAttributes(long inode) {
    notify(INVAL_INODE, inode(inode, -1));
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void changedElsewhere(long inode) {
    pages.changedElsewhere(inode);
  }

  @Override
  public CompletableFuture<?> forgetPages(long inode) {
    return CompletableFuture.runAsync(() -> notify(INVAL_INODE, inode(inode, 0)), ofPages);
  }

  /** To store nothing at an offset makes a file that is shorter so long (fuse_notify_store). */
  @Override
  public CompletableFuture<?> forgetPages(long inode, long size) {
    ByteBuffer store =
        sized(STORE_OUT).putLong(nodes.node(inode)).putLong(size).putInt(0).putInt(0).rewind();
    return CompletableFuture.runAsync(
        () -> {
          notify(INVAL_INODE, inode(inode, 0));
          notify(STORE, store);
        },
        ofPages);
  }

  /** From the offset to the end. */
  private ByteBuffer inode(long inode, long offset) {
    return sized(INODE_OUT).putLong(nodes.node(inode)).putLong(offset).putLong(0).rewind();
  }

  private void notify(int code, ByteBuffer body) {
    session.whileOpen(() -> told(code, device.notify(code, body)));
  }

  private static int told(int code, int failed) {
    if (failed != 0 && failed != Errno.ENOENT) {
      log.debug("notification {} was refused: errno {}", code, failed);
    }
    return failed;
  }

  private static ByteBuffer sized(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
  }
}
