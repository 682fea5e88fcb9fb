package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.ServedMount;
import org.trefoilfs.mount.namespace.Request;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The threads that serve a mount. Few platform threads read. One of them serves a request itself
 * while another is left to read; the last one hands requests to virtual threads, so however many
 * wait, the next is read. The session ends when the kernel says that the mount is gone; the device
 * is closed after the last answer, because its number may be another file's then.
 */
final class KernelSession extends ServedMount {
  private static final long POLL_NANOS = 2_000_000;
  private static final Logger log = LoggerFactory.getLogger(KernelSession.class);

  private final Device device;
  private final Dispatcher dispatcher;
  private final AtomicInteger readers = new AtomicInteger();

  /** Readers that are not busy with a request. */
  private final AtomicInteger free = new AtomicInteger();

  /** Readers and requests; who leaves last closes the device. */
  private final AtomicInteger users = new AtomicInteger();

  /** Readers to start when all requests that an earlier daemon had read have come. */
  private int waitingReaders;

  private volatile boolean leaving;

  KernelSession(Path path, CallStatistics statistics, Device device, Dispatcher dispatcher) {
    super(path, statistics);
    this.device = device;
    this.dispatcher = dispatcher;
  }

  /**
   * Shakes hands, then serves with so many readers. Fails with NOT_SUPPORTED when the kernel is too
   * old, with IO when it does not begin; the device is closed then.
   */
  void start(int threads) {
    shakeHands(false);
    serve(threads);
  }

  /**
   * The first part of {@link #start}.
   *
   * @param accessLists whether the kernel is to check them
   */
  Handshake shakeHands(boolean accessLists) {
    try {
      Handshake handshake = handshake(accessLists);
      log.info("mounted {}: FUSE protocol 7.{}", mountPoint(), handshake.minor());
      return handshake;
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  /** The second: serves with so many readers. */
  void serve(int threads) {
    readers.addAndGet(threads);
    free.addAndGet(threads);
    users.addAndGet(threads);
    for (int i = 0; i < threads; i++) {
      Thread.ofPlatform().name("fuse").daemon().start(this::work);
    }
  }

  /**
   * Goes on where an earlier daemon was killed. A single reader takes what that one had read: the
   * kernel gives it out first (fuse_resend of fs/fuse/dev.c puts it at the head of its queue), so
   * the first request that was not sent before says that there is no more of it.
   */
  void resume(int threads) {
    int failed = device.resend();
    if (failed != 0) {
      device.close();
      throw new TrefoilException(
          Reason.IO, "the kernel does not go on with " + mountPoint() + ": errno " + failed);
    }
    log.info("took over {}", mountPoint());
    waitingReaders = threads - 1;
    serve(1);
  }

  private Handshake handshake(boolean accessLists) {
    RequestBuffer buffer = new RequestBuffer();
    int length = receive(buffer);
    RequestFrame init = length < 0 ? null : frame(buffer.first(length));
    if (init == null || init.opcode() != Opcode.INIT) {
      throw new TrefoilException(
          Reason.IO, "the kernel has not begun to use the mount " + mountPoint());
    }
    Handshake handshake = Handshake.of(init, accessLists);
    int failed =
        device.reply(init.unique(), 0, handshake.reply(MAX_BACKGROUND, CONGESTION_THRESHOLD));
    if (failed != 0) {
      throw new TrefoilException(
          Reason.IO, "the kernel refused the handshake for " + mountPoint() + ": errno " + failed);
    }
    return handshake;
  }

  /**
   * Leaves the mount to another process: what is read from now on is for that one, and what is
   * being served has this long to end. Nothing is answered after it.
   */
  void leave(Duration patience) {
    leaving = true;
    long deadline = System.nanoTime() + patience.toNanos();
    while (isBusy() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(POLL_NANOS);
    }
    device.silence();
  }

  private boolean isBusy() {
    int all = readers.get();
    return users.get() > all || free.get() < all;
  }

  private void work() {
    RequestBuffer buffer = new RequestBuffer();
    try {
      int length;
      while ((length = receive(buffer)) > 0) {
        RequestFrame frame = frame(buffer.first(length));
        if (frame != null && !leaving) {
          dispatch(frame);
        }
      }
      if (length == -Errno.ENODEV) {
        over();
      } else {
        log.error("reading requests of {} failed: errno {}", mountPoint(), -length);
      }
    } catch (RuntimeException | Error e) {
      log.error("a thread that serves {} died", mountPoint(), e);
    } finally {
      free.decrementAndGet();
      if (readers.decrementAndGet() == 0) {
        over();
      }
      leave();
    }
  }

  private void over() {
    ended();
    dispatcher.ended();
  }

  /** Bytes read, or minus the errno that ends the session. */
  private int receive(RequestBuffer buffer) {
    while (true) {
      int length = device.read(buffer);
      // ENOENT: the caller was killed before its request could be handed over.
      if (length != -Errno.EINTR && length != -Errno.EAGAIN && length != -Errno.ENOENT) {
        return length;
      }
    }
  }

  private @Nullable RequestFrame frame(ByteBuffer bytes) {
    try {
      return RequestFrame.of(bytes);
    } catch (TrefoilException e) {
      log.error("not understood on {}: {}", mountPoint(), e.getMessage());
      return null;
    }
  }

  private void admitOthers(RequestFrame frame) {
    if (waitingReaders > 0 && !frame.isResent()) {
      int more = waitingReaders;
      waitingReaders = 0;
      dispatcher.allCame();
      serve(more);
    }
  }

  /**
   * Has the request served: here, which saves waking another thread, as long as another reader is
   * left to read; the last one hands over. What waits for other callers keeps no thread at all.
   */
  private void dispatch(RequestFrame frame) {
    int opcode = frame.opcode();
    if (opcode == Opcode.INTERRUPT) {
      dispatcher.interrupt(frame);
    } else if (!Opcode.unanswered(opcode)) {
      admitOthers(frame);
      begin(frame);
    }
  }

  private void begin(RequestFrame frame) {
    if (Opcode.isLater(frame.opcode())) {
      users.incrementAndGet();
      dispatcher.serveLater(frame, this::leave);
    } else {
      serve(frame, dispatcher.begin(frame));
    }
  }

  private void serve(RequestFrame frame, Request request) {
    try {
      if (free.decrementAndGet() > 0) {
        dispatcher.serve(frame, request);
      } else {
        RequestFrame copy = frame.copy();
        start(() -> dispatcher.serve(copy, request));
      }
    } finally {
      free.incrementAndGet();
    }
  }

  private void start(Runnable request) {
    users.incrementAndGet();
    Thread.ofVirtual()
        .name("fuse-request")
        .start(
            () -> {
              try {
                request.run();
              } finally {
                leave();
              }
            });
  }

  /** Uses the device, unless it is closed. */
  void whileOpen(Runnable use) {
    if (users.getAndUpdate(count -> count == 0 ? 0 : count + 1) == 0) {
      return;
    }
    try {
      use.run();
    } finally {
      leave();
    }
  }

  private void leave() {
    if (users.decrementAndGet() == 0) {
      device.close();
    }
  }
}
