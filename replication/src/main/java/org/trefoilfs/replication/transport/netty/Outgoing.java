package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import java.util.concurrent.atomic.AtomicBoolean;
import org.trefoilfs.replication.TrefoilException;

/** A frame on its way to the socket. Its methods are called on the connection's event loop. */
class Outgoing {
  private final ByteBuf frame;
  private final int bytes;

  /** It waits in a queue, whose event loop decides what becomes of it. */
  private final AtomicBoolean queued = new AtomicBoolean();

  Outgoing(ByteBuf frame) {
    this.frame = frame;
    this.bytes = frame.readableBytes();
  }

  final ByteBuf frame() {
    return frame;
  }

  final int bytes() {
    return bytes;
  }

  /** It is about to be queued; on any thread. */
  final void queued() {
    queued.set(true);
  }

  /** Whether it waited until now. */
  final boolean leaveQueue() {
    return queued.compareAndSet(true, false);
  }

  /** It is being given to the socket: from now on it may arrive. */
  void sending() {}

  /** It never was. */
  void dropped(TrefoilException why) {}
}
