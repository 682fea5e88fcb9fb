package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.mount.fuse.Errno;

/** A device of which the process seems to be killed: the kernel hears no more of it. */
final class DyingDevice implements Device {
  private final Device device;
  private final Map<Long, Integer> opcodes = new ConcurrentHashMap<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile int unanswered;
  private volatile boolean dead;
  private final CompletableFuture<Integer> died = new CompletableFuture<>();

  DyingDevice(int descriptor) {
    device = new FuseDevice(descriptor);
  }

  /** From now on requests of this kind are still read and served, and not answered. */
  void leaveUnanswered(Opcode opcode) {
    unanswered = opcode.number;
  }

  /** The next request that a reader has is its last: read, and neither served nor answered. */
  void die() {
    dead = true;
    died.complete(0);
  }

  @Override
  public int read(RequestBuffer into) {
    int length = device.read(into);
    if (dead) {
      return -Errno.ENODEV;
    }
    if (length > 0) {
      RequestFrame frame = RequestFrame.of(into.first(length));
      opcodes.put(frame.unique(), frame.opcode());
    }
    return length;
  }

  @Override
  public int reply(long unique, int error, ByteBuffer body) {
    if (!dead && opcodes.getOrDefault(unique, 0) == unanswered) {
      died.join(); // or the daemon would take it for answered, and say so with what it does next
    }
    return dead ? 0 : device.reply(unique, error, body);
  }

  /** None of its readers is left, who would take what is for the next daemon. */
  boolean awaitDeath() throws InterruptedException {
    return closed.await(10, TimeUnit.SECONDS);
  }

  @Override
  public int notify(int code, ByteBuffer body) {
    // The kernel may make it wait for a call that the next daemon answers: it dies nevertheless.
    CompletableFuture<Integer> told = new CompletableFuture<>();
    Thread.ofPlatform().daemon().start(() -> told.complete(device.notify(code, body)));
    return CompletableFuture.anyOf(told, died).thenApply(Integer.class::cast).join();
  }

  @Override
  public int resend() {
    return device.resend();
  }

  @Override
  public void silence() {
    device.silence();
  }

  @Override
  public void close() {
    device.close();
    closed.countDown();
  }
}
