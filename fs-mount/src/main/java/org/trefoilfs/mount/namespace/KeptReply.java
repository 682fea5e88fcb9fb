package org.trefoilfs.mount.namespace;

import java.nio.ByteBuffer;

/**
 * The row of a reply that is kept for a retry: the reply as it is, or, of a request of the
 * kernel's, {@code 0(1) request(8) reply}; no reply begins with 0.
 */
record KeptReply(long request, byte[] reply) {
  private static final int HEADER = 9;

  byte[] toRow() {
    return request == 0
        ? reply
        : ByteBuffer.allocate(HEADER + reply.length)
            .put((byte) 0)
            .putLong(request)
            .put(reply)
            .array();
  }

  static KeptReply ofRow(byte[] row) {
    if (row[0] != 0) {
      return new KeptReply(0, row);
    }
    ByteBuffer in = ByteBuffer.wrap(row, 1, row.length - 1);
    long request = in.getLong();
    byte[] reply = new byte[in.remaining()];
    in.get(reply);
    return new KeptReply(request, reply);
  }
}
