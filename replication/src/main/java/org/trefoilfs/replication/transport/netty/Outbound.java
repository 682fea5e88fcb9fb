package org.trefoilfs.replication.transport.netty;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * What waits to be written to a connection, in order. Any thread offers; the event loop writes, as
 * much as the socket takes, with one flush for all that has gathered: many small messages share a
 * system call. What the socket does not take stays here, where it can still be given up as
 * certainly unsent.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close ends in channelInactive
final class Outbound {
  /** Flushes in one go before other connections of the loop get their turn. */
  private static final int ROUNDS_MAX = 16;

  private final EventLoop loop;
  private final long bytesMax;
  private final Queue<Outgoing> queue = new ConcurrentLinkedQueue<>();
  private final AtomicLong queuedBytes = new AtomicLong();
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private final Runnable drain = this::drain;

  // Owned by the event loop.
  private @Nullable Channel channel;
  private @Nullable TrefoilException closedBy;

  Outbound(EventLoop loop, long bytesMax) {
    this.loop = loop;
    this.bytesMax = bytesMax;
  }

  /** Queues a frame, or refuses it when too much is waiting; then it stays the caller's. */
  boolean offer(Outgoing outgoing) {
    if (queuedBytes.addAndGet(outgoing.bytes()) > bytesMax) {
      queuedBytes.addAndGet(-outgoing.bytes());
      return false;
    }
    outgoing.queued();
    queue.add(outgoing);
    schedule();
    return true;
  }

  /**
   * Nobody wants it sent any more: if it has not been, its memory is given back now, and not when
   * the peer reads again. On the event loop.
   */
  void recall(Outgoing outgoing) {
    if (outgoing.leaveQueue()) {
      queuedBytes.addAndGet(-outgoing.bytes());
      outgoing.frame().release();
    }
  }

  boolean isEmpty() {
    return queuedBytes() == 0;
  }

  long queuedBytes() {
    return queuedBytes.get();
  }

  /** The connection takes frames from now on. On the event loop. */
  void open(Channel opened) {
    channel = opened;
    drain();
  }

  /** Drops what waits and whatever is offered later. On the event loop. */
  void close(TrefoilException why) {
    closedBy = why;
    dropAll(why);
  }

  private void schedule() {
    if (scheduled.compareAndSet(false, true)) {
      try {
        loop.execute(drain);
      } catch (RejectedExecutionException e) {
        dropAll(new TrefoilException(Reason.UNAVAILABLE, "the transport has been closed", e));
      }
    }
  }

  /** Writes what the socket takes. On the event loop. */
  void drain() {
    scheduled.set(false);
    TrefoilException closed = closedBy;
    if (closed != null) {
      dropAll(closed);
      return;
    }
    Channel open = channel;
    if (open == null) {
      return;
    }
    for (int round = 0; open.isWritable() && !queue.isEmpty(); round++) {
      if (round == ROUNDS_MAX) {
        schedule();
        return;
      }
      writeRound(open);
    }
  }

  private void writeRound(Channel open) {
    Outgoing next;
    while (open.isWritable() && (next = queue.poll()) != null) {
      if (next.leaveQueue()) {
        queuedBytes.addAndGet(-next.bytes());
        next.sending();
        open.write(next.frame(), open.voidPromise());
      }
    }
    open.flush();
  }

  private void dropAll(TrefoilException why) {
    Outgoing next;
    while ((next = queue.poll()) != null) {
      recall(next);
      next.dropped(why);
    }
  }
}
