package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * An encoded message: its bytes in order, large fields by reference to the sender's own buffers.
 *
 * @param length sum of what remains in the parts, in bytes; more than an int holds if someone asks
 *     for it
 */
public record Payload(List<ByteBuffer> parts, long length) {
  static Payload of(List<ByteBuffer> parts) {
    return new Payload(parts, parts.stream().mapToLong(ByteBuffer::remaining).sum());
  }
}
