package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.replication.env.TimeSource;

/** Takes a request to its answer and the answer to the kernel, exactly once. */
final class Dispatcher {
  /**
   * A write that took longer may have been sent to a host twice, and the first sending, still on
   * its way, may look at the bytes once more.
   */
  private static final long QUICK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final Device device;
  private final Answers answers;
  private final ReplyEncoder encoder;
  private final Calls calls;
  private final TimeSource time;
  private final KernelRequests requests;

  Dispatcher(Device device, Answers answers, ReplyEncoder encoder, Calls calls, TimeSource time) {
    this.device = device;
    this.answers = answers;
    this.encoder = encoder;
    this.calls = calls;
    this.time = time;
    this.requests = new KernelRequests(answers);
  }

  /** What may become of the memory in which a request lies. */
  enum Memory {
    /** Nobody looks at it any more. */
    FREE,
    /** A call that failed or lasted may have left somebody who does. */
    IN_DOUBT
  }

  Memory serve(RequestFrame frame) {
    Opcode opcode = Opcode.of(frame.opcode());
    if (opcode == null) {
      int errno = frame.opcode() == Opcode.DESTROY ? 0 : Errno.ENOSYS;
      device.reply(frame.unique(), errno, EMPTY);
      return Memory.FREE;
    }
    long start = time.nanoTime();
    Sending sending = new Sending(frame.unique());
    calls.serve(opcode.operation, () -> requests.answer(opcode, frame), sending);
    boolean quick = time.nanoTime() - start < QUICK_NANOS;
    return sending.succeeded && quick ? Memory.FREE : Memory.IN_DOUBT;
  }

  private final class Sending implements Calls.Channel<Reply> {
    private final long unique;
    boolean succeeded = true;

    Sending(long unique) {
      this.unique = unique;
    }

    @Override
    public Reply failed(int errno) {
      succeeded = false;
      return new Reply.Errno(errno);
    }

    @Override
    public void send(Reply reply) {
      int error = reply instanceof Reply.Errno(int errno) ? errno : 0;
      if (device.reply(unique, error, encoder.body(reply)) != 0) {
        answers.undo(reply);
      }
    }
  }
}
