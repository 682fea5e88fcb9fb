package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import org.trefoilfs.replication.TrefoilException;

/** A frame on its way to the socket. Its methods are called on the connection's event loop. */
class Outgoing {
  private final ByteBuf frame;
  private final int bytes;

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

  /** Whether anyone still wants it sent. */
  boolean wanted() {
    return true;
  }

  /** It is being given to the socket: from now on it may arrive. */
  void sending() {}

  /** It never was. */
  void dropped(TrefoilException why) {}
}
