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

  /** A WRITE from this size on is served from the memory it was read into; others are copied. */
  private static final int LARGE = 16 << 10;

  /** Large WRITEs under way at most, a mebibyte each; reading goes on when one has ended. */
  private static final int MAX_LARGE = 64;

  private final Device device;
  private final Dispatcher dispatcher;
  private final RequestBuffers buffers;
  private final AtomicInteger readers = new AtomicInteger();

  /** Readers that are not busy with a request. */
  private final AtomicInteger free = new AtomicInteger();

  /** Readers and requests; who leaves last closes the device. */
  private final AtomicInteger users = new AtomicInteger();

  KernelSession(Path path, CallStatistics statistics, Device device, Dispatcher dispatcher) {
    super(path, statistics);
    this.device = device;
    this.dispatcher = dispatcher;
    this.buffers = new RequestBuffers(MAX_LARGE);
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
    RequestBuffer buffer = buffers.take();
    try {
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
            Reason.IO,
            "the kernel refused the handshake for " + mountPoint() + ": errno " + failed);
      }
      return handshake;
    } finally {
      buffers.giveBack(buffer);
    }
  }

  private void work() {
    RequestBuffer buffer = buffers.take();
    try {
      int length;
      while ((length = receive(buffer)) > 0) {
        RequestFrame frame = frame(buffer.first(length));
        if (frame != null) {
          buffer = dispatch(frame, buffer);
        }
      }
      if (length == -Errno.ENODEV) {
        ended();
      } else {
        log.error("reading requests of {} failed: errno {}", mountPoint(), -length);
      }
    } catch (RuntimeException | Error e) {
      log.error("a thread that serves {} died", mountPoint(), e);
    } finally {
      free.decrementAndGet();
      if (readers.decrementAndGet() == 0) {
        ended();
      }
      leave();
    }
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
   * Has the request served, and says where the next may be read to. Here, which saves waking
   * another thread, as long as another reader is left to read; the last one hands over.
   */
  private RequestBuffer dispatch(RequestFrame frame, RequestBuffer buffer) {
    if (Opcode.unanswered(frame.opcode())) {
      return buffer;
    }
    try {
      return free.decrementAndGet() > 0 ? serveHere(frame, buffer) : handOver(frame, buffer);
    } finally {
      free.incrementAndGet();
    }
  }

  private RequestBuffer serveHere(RequestFrame frame, RequestBuffer buffer) {
    Dispatcher.Memory after = dispatcher.serve(frame);
    if (after == Dispatcher.Memory.FREE || frame.opcode() != Opcode.WRITE.number) {
      return buffer;
    }
    buffers.abandon();
    return buffers.take();
  }

  private RequestBuffer handOver(RequestFrame frame, RequestBuffer buffer) {
    if (frame.opcode() == Opcode.WRITE.number && frame.length() >= LARGE) {
      start(() -> serveLarge(frame, buffer));
      return buffers.take();
    }
    RequestFrame copy = frame.copy();
    start(() -> dispatcher.serve(copy));
    return buffer;
  }

  private void serveLarge(RequestFrame frame, RequestBuffer buffer) {
    if (dispatcher.serve(frame) == Dispatcher.Memory.FREE) {
      buffers.giveBack(buffer);
    } else {
      buffers.abandon();
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
