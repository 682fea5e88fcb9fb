package org.trefoilfs.mount.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.trefoilfs.mount.vfs.Caller;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * A request as it was read: a header, and a body that is taken apart from its beginning.
 *
 * <pre>
 *  0 u32 len    4 u32 opcode   8 u64 unique   16 u64 nodeid
 * 24 u32 uid   28 u32 gid     32 u32 pid      36 u16 total_extlen, u16 padding    40 body
 * </pre>
 *
 * <p>All in the byte order of the machine. A body that ends too early fails with INVALID.
 */
final class RequestFrame {
  static final int HEADER = 40;

  private static final int OPCODE = 4;
  private static final int UNIQUE = 8;
  private static final int NODE = 16;
  private static final int UID = 24;
  private static final int GID = 28;

  private final ByteBuffer bytes;

  /** Nobody reads another request into these bytes. */
  private final boolean owned;

  private RequestFrame(ByteBuffer bytes, boolean owned) {
    this.bytes = bytes;
    this.owned = owned;
  }

  /** Fails with INVALID when it is shorter than a header, or its length is not what it says. */
  static RequestFrame of(ByteBuffer read) {
    return of(read, false);
  }

  private static RequestFrame of(ByteBuffer read, boolean owned) {
    ByteBuffer bytes = read.slice().order(ByteOrder.nativeOrder());
    if (bytes.remaining() < HEADER) {
      throw malformed("a request of " + bytes.remaining() + " bytes has no header");
    }
    if (bytes.getInt(0) != bytes.remaining()) {
      throw malformed(
          "a request of " + bytes.remaining() + " bytes says it has " + bytes.getInt(0));
    }
    return new RequestFrame(bytes.position(HEADER), owned);
  }

  /** The same request in memory of its own. */
  RequestFrame copy() {
    byte[] copy = new byte[bytes.limit()];
    bytes.get(0, copy);
    return of(ByteBuffer.wrap(copy), true);
  }

  int length() {
    return bytes.limit();
  }

  int opcode() {
    return bytes.getInt(OPCODE);
  }

  long unique() {
    return bytes.getLong(UNIQUE);
  }

  /**
   * Whether it was read before, by an earlier daemon: FUSE_UNIQUE_RESEND of linux/fuse.h, which the
   * answer has to carry, too.
   */
  boolean isResent() {
    return unique() < 0;
  }

  /** What {@link #unique} was when it was read first. */
  long number() {
    return unique() & Long.MAX_VALUE;
  }

  long node() {
    return bytes.getLong(NODE);
  }

  Caller caller() {
    return new Caller(bytes.getInt(UID), bytes.getInt(GID));
  }

  // ---- the body, in order

  int u32() {
    need(Integer.BYTES);
    return bytes.getInt();
  }

  long u64() {
    need(Long.BYTES);
    return bytes.getLong();
  }

  RequestFrame skip(int count) {
    need(count);
    bytes.position(bytes.position() + count);
    return this;
  }

  /** A name that ends with a NUL, which is not part of the result. */
  byte[] name() {
    int start = bytes.position();
    for (int end = start; end < bytes.limit(); end++) {
      if (bytes.get(end) == 0) {
        byte[] name = new byte[end - start];
        bytes.get(name).get();
        return name;
      }
    }
    throw malformed("a name has no end");
  }

  /** So many bytes, copied. */
  byte[] bytes(int count) {
    need(count);
    byte[] copy = new byte[count];
    bytes.get(copy);
    return copy;
  }

  /**
   * So many bytes, in memory that is not read into again: what is written is kept after the answer,
   * until it is in the chunk store.
   */
  ByteBuffer data(int count) {
    return owned ? slice(count) : ByteBuffer.wrap(bytes(count));
  }

  private ByteBuffer slice(int count) {
    need(count);
    return bytes.slice(bytes.position(), count);
  }

  private void need(int count) {
    if (count < 0 || count > bytes.remaining()) {
      throw malformed(
          "request with opcode " + opcode() + " and " + length() + " bytes ends too early");
    }
  }

  private static TrefoilException malformed(String what) {
    return new TrefoilException(Reason.INVALID, what);
  }
}
