package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.namespace.Request;
import org.trefoilfs.mount.namespace.ResentRequests;

/** Takes a request to its answer and the answer to the kernel, exactly once. */
final class Dispatcher {
  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final Device device;
  private final Answers answers;
  private final ReplyEncoder encoder;
  private final Calls calls;
  private final KernelRequests requests;

  private final ResentRequests resent;

  /**
   * @param resent what earlier daemons of the mount have left half done
   */
  Dispatcher(
      Device device, Answers answers, ReplyEncoder encoder, Calls calls, ResentRequests resent) {
    this.device = device;
    this.resent = resent;
    this.answers = answers;
    this.encoder = encoder;
    this.calls = calls;
    this.requests = new KernelRequests(answers);
  }

  /** In the order in which they are read. */
  Request begin(RequestFrame frame) {
    return frame.isResent() ? resent.claim(frame.number()) : new Request(frame.number());
  }

  /** No frame that was sent before will come any more. */
  void allCame() {
    resent.allCame();
  }

  void serve(RequestFrame frame, Request request) {
    Opcode opcode = Opcode.of(frame.opcode());
    if (opcode == null) {
      int errno = frame.opcode() == Opcode.DESTROY ? 0 : Errno.ENOSYS;
      device.reply(frame.unique(), errno, EMPTY);
      return;
    }
    Sending sending = new Sending(frame.unique());
    request.serve(
        () -> calls.serve(opcode.operation, () -> requests.answer(opcode, frame), sending));
  }

  private final class Sending implements Calls.Channel<Reply> {
    private final long unique;

    Sending(long unique) {
      this.unique = unique;
    }

    @Override
    public Reply failed(int errno) {
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
