package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.CallStatistics;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.ServedMount;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * The threads that serve a mount. Few platform threads read. One of them serves a request itself
 * while another is left to read; the last one hands requests to virtual threads, so however many
 * wait, the next is read. The session ends when the kernel says that the mount is gone; the device
 * is closed after the last answer, because its number may be another file's then.
 */
final class KernelSession extends ServedMount {
  private static final Logger log = LoggerFactory.getLogger(KernelSession.class);

  private final Device device;
  private final Dispatcher dispatcher;
  private final AtomicInteger readers = new AtomicInteger();

  /** Readers that are not busy with a request. */
  private final AtomicInteger free = new AtomicInteger();

  /** Readers and requests; who leaves last closes the device. */
  private final AtomicInteger users = new AtomicInteger();

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
    try {
      Handshake handshake = handshake();
      log.info("mounted {}: FUSE protocol 7.{}", mountPoint(), handshake.minor());
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
    readers.set(threads);
    free.set(threads);
    users.set(threads);
    for (int i = 0; i < threads; i++) {
      Thread.ofPlatform().name("fuse-" + i).daemon().start(this::work);
    }
  }

  private Handshake handshake() {
    RequestBuffer buffer = new RequestBuffer();
    int length = receive(buffer);
    RequestFrame init = length < 0 ? null : frame(buffer.first(length));
    if (init == null || init.opcode() != Opcode.INIT) {
      throw new TrefoilException(
          Reason.IO, "the kernel has not begun to use the mount " + mountPoint());
    }
    Handshake handshake = Handshake.of(init);
    int failed =
        device.reply(init.unique(), 0, handshake.reply(MAX_BACKGROUND, CONGESTION_THRESHOLD));
    if (failed != 0) {
      throw new TrefoilException(
          Reason.IO, "the kernel refused the handshake for " + mountPoint() + ": errno " + failed);
    }
    return handshake;
  }

  private void work() {
    RequestBuffer buffer = new RequestBuffer();
    try {
      int length;
      while ((length = receive(buffer)) > 0) {
        RequestFrame frame = frame(buffer.first(length));
        if (frame != null) {
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

  /**
   * Has the request served: here, which saves waking another thread, as long as another reader is
   * left to read; the last one hands over. What waits for other callers keeps no thread at all.
   */
  private void dispatch(RequestFrame frame) {
    int opcode = frame.opcode();
    if (opcode == Opcode.INTERRUPT) {
      dispatcher.interrupt(frame);
    } else if (Opcode.isLater(opcode)) {
      users.incrementAndGet();
      dispatcher.serveLater(frame, this::leave);
    } else if (!Opcode.unanswered(opcode)) {
      serve(frame);
    }
  }

  private void serve(RequestFrame frame) {
    try {
      if (free.decrementAndGet() > 0) {
        dispatcher.serve(frame);
      } else {
        RequestFrame copy = frame.copy();
        start(() -> dispatcher.serve(copy));
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

  private void leave() {
    if (users.decrementAndGet() == 0) {
      device.close();
    }
  }
}
