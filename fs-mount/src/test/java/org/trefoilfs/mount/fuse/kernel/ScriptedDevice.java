package org.trefoilfs.mount.fuse.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.trefoilfs.mount.fuse.Errno;

/** Hands out the requests that a test gives it, and keeps the replies. */
final class ScriptedDevice implements Device {
  /** What {@link #fail} puts into the queue, minus the errno. */
  private record Event(byte[] bytes, int errno) {}

  record Answer(long unique, int error, ByteBuffer body) {}

  private final BlockingQueue<Event> requests = new LinkedBlockingQueue<>();
  private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
  private final Set<Long> gone = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean closed = new AtomicBoolean();
  final CountDownLatch closing = new CountDownLatch(1);

  void request(byte[] bytes) {
    requests.add(new Event(bytes, 0));
  }

  /** The next read fails; with ENODEV all from then on do. */
  void fail(int errno) {
    requests.add(new Event(new byte[0], errno));
  }

  /** The caller of this request is gone when it is answered. */
  void leave(long unique) {
    gone.add(unique);
  }

  Answer answer() throws InterruptedException {
    Answer answer = answers.poll(10, TimeUnit.SECONDS);
    if (answer == null) {
      throw new AssertionError("no answer within 10 s");
    }
    return answer;
  }

  boolean hasAnswers() {
    return !answers.isEmpty();
  }

  @Override
  public int read(RequestBuffer into) {
    try {
      Event next = requests.take();
      if (next.errno == Errno.ENODEV) {
        requests.add(next);
      }
      if (next.errno != 0) {
        return -next.errno;
      }
      MemorySegment.copy(MemorySegment.ofArray(next.bytes), 0, into.memory(), 0, next.bytes.length);
      return next.bytes.length;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public int reply(long unique, int error, ByteBuffer body) {
    if (closed.get()) {
      throw new AssertionError("reply to a closed device");
    }
    ByteBuffer copy = ByteBuffer.allocate(body.remaining()).order(ByteOrder.nativeOrder());
    answers.add(new Answer(unique, error, copy.put(body.duplicate()).flip()));
    return gone.contains(unique) ? Errno.ENOENT : 0;
  }

  @Override
  public int notify(int code, ByteBuffer body) {
    return Errno.ENOENT;
  }

  @Override
  public int resend() {
    return 0;
  }

  @Override
  public void silence() {
    throw new AssertionError("silenced");
  }

  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      throw new AssertionError("closed twice");
    }
    closing.countDown();
  }
}
