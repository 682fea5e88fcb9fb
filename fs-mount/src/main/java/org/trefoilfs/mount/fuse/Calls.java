package org.trefoilfs.mount.fuse;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;

/**
 * Every call of a mount goes through here: logged, counted, timed, and whatever it throws becomes
 * an errno. Nothing is thrown into the transport, where it would silently become EIO.
 */
public final class Calls {
  private static final Logger log = LoggerFactory.getLogger(Calls.class);

  private final TimeSource time;
  private final CallStatistics statistics;

  public Calls(TimeSource time, CallStatistics statistics) {
    this.time = time;
    this.statistics = statistics;
  }

  /** Computes a call's reply and has it sent, exactly once: the request is gone after that. */
  public <R extends Reply> void serve(Operation operation, Supplier<R> call, Channel<R> channel) {
    long start = time.nanoTime();
    statistics.began();
    int errno = 0;
    R reply;
    try {
      reply = call.get();
    } catch (Throwable e) {
      errno = errno(operation, e);
      reply = channel.failed(errno);
    }
    ended(operation, start, reply.transferred(), errno);
    send(operation, reply, channel);
  }

  /** As {@link #serve}, but the reply comes later, on whatever thread. */
  public <R extends Reply> void serveLater(
      Operation operation, Supplier<CompletableFuture<R>> call, Channel<R> channel) {
    long start = time.nanoTime();
    statistics.began();
    CompletableFuture<R> later;
    try {
      later = call.get();
    } catch (Throwable e) {
      later = CompletableFuture.failedFuture(e);
    }
    later.whenComplete(
        (reply, failure) -> {
          int errno = failure == null ? 0 : errno(operation, failure);
          R answer = failure == null ? reply : channel.failed(errno);
          ended(operation, start, answer.transferred(), errno);
          send(operation, answer, channel);
        });
  }

  /** Counted before it is sent: who has the answer finds it counted. */
  private void ended(Operation operation, long start, long bytes, int errno) {
    statistics.ended(operation, time.nanoTime() - start, bytes, errno);
  }

  private static <R> void send(Operation operation, R reply, Channel<R> channel) {
    try {
      channel.send(reply);
    } catch (Throwable e) {
      log.error("reply to {} could not be sent", operation, e);
    }
  }

  /** Where a reply goes. */
  public interface Channel<R> {
    /** The reply that carries an errno. */
    R failed(int errno);

    /** Hands a reply to the transport. */
    void send(R reply);
  }

  private static int errno(Operation operation, Throwable failure) {
    TrefoilException known = TrefoilException.of(failure);
    int errno = Errno.of(known.reason());
    if (known.reason() == Reason.INTERNAL) {
      log.error("{} failed by a defect", operation, failure);
    } else if (errno == Errno.EIO) {
      log.warn("{} failed: {}: {}", operation, known.reason(), known.getMessage());
    } else {
      log.trace("{} failed: {}", operation, known.getMessage());
    }
    return errno;
  }
}
