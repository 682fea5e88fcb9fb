package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.mount.fuse.Answers;
import org.trefoilfs.mount.fuse.Calls;
import org.trefoilfs.mount.fuse.Errno;
import org.trefoilfs.mount.fuse.Later;
import org.trefoilfs.mount.fuse.Reply;
import org.trefoilfs.mount.namespace.Request;
import org.trefoilfs.mount.namespace.ResentRequests;
import org.trefoilfs.replication.TrefoilException;

/** Takes a request to its answer and the answer to the kernel, exactly once. */
final class Dispatcher {
  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);
  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final Device device;
  private final Answers answers;
  private final ReplyEncoder encoder;
  private final Calls calls;
  private final KernelRequests requests;
  private final Interrupts interrupts = new Interrupts();

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

  /**
   * Begins a call that waits for others, if need be, without a thread.
   *
   * @param answered run once its answer has been sent
   */
  void serveLater(RequestFrame frame, Runnable answered) {
    Opcode opcode = Objects.requireNonNull(Opcode.of(frame.opcode()));
    calls.serveLater(
        opcode.operation,
        () -> {
          Later call = requests.later(opcode, frame);
          interrupts.began(frame.unique(), call);
          return call.start();
        },
        new SendingLater(frame.unique(), answered));
  }

  /** u64 unique, of the request whose caller got a signal. */
  void interrupt(RequestFrame frame) {
    try {
      interrupts.interrupt(frame.u64());
    } catch (TrefoilException e) {
      log.error("an interrupt was not understood: {}", e.getMessage());
    }
  }

  /** No request comes any more, and nobody waits for an answer. */
  void ended() {
    answers.ended();
  }

  private final class SendingLater implements Calls.Channel<Reply> {
    private final long unique;
    private final Runnable answered;
    private final Sending sending;

    SendingLater(long unique, Runnable answered) {
      this.unique = unique;
      this.answered = answered;
      this.sending = new Sending(unique);
    }

    @Override
    public Reply failed(int errno) {
      return sending.failed(errno);
    }

    @Override
    public void send(Reply reply) {
      interrupts.ended(unique);
      try {
        sending.send(reply);
      } finally {
        answered.run();
      }
    }
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
      int failed =
          ReplyEncoder.isRemembered(reply)
              ? answers.cache().answering(() -> deliver(reply))
              : deliver(reply);
      if (failed != 0) {
        answers.undo(reply);
      }
    }

    private int deliver(Reply reply) {
      ByteBuffer body = encoder.body(reply);
      return device.reply(unique, error(reply, body), body);
    }

    private static int error(Reply reply, ByteBuffer body) {
      return switch (reply) {
        case Reply.Errno(int errno) -> errno;
        case Reply.Looked _ when !body.hasRemaining() -> Errno.ENOENT;
        default -> 0;
      };
    }
  }
}
