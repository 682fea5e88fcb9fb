package org.trefoilfs.replication.codec;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Reads what {@link ByteWriter} wrote. Every malformed input, whatever its bytes, is a {@link
 * TrefoilException} of {@link Reason#INVALID}; no length is believed before the bytes are there.
 */
public final class ByteReader {
  private final ByteBuffer buffer;

  public ByteReader(byte[] bytes) {
    this(ByteBuffer.wrap(bytes));
  }

  /** Reads a view of the buffer; the buffer's own position does not move. */
  public ByteReader(ByteBuffer buffer) {
    this.buffer = buffer.slice();
  }

  public int u8() {
    try {
      return buffer.get() & 0xff;
    } catch (BufferUnderflowException e) {
      throw truncated(e);
    }
  }

  public int i32() {
    try {
      return buffer.getInt();
    } catch (BufferUnderflowException e) {
      throw truncated(e);
    }
  }

  public long i64() {
    try {
      return buffer.getLong();
    } catch (BufferUnderflowException e) {
      throw truncated(e);
    }
  }

  public boolean bool() {
    return u8() != 0;
  }

  public byte[] blob() {
    byte[] value = new byte[length()];
    buffer.get(value);
    return value;
  }

  /** A blob as a view of the input, without a copy. */
  public ByteBuffer blobView() {
    int length = length();
    ByteBuffer view = buffer.slice(buffer.position(), length);
    buffer.position(buffer.position() + length);
    return view;
  }

  public String string() {
    return new String(blob(), StandardCharsets.UTF_8);
  }

  /** A count of elements that follow, each at least {@code minimumBytes} long. */
  public int count(int minimumBytes) {
    int count = i32();
    if (count < 0 || (long) count * minimumBytes > buffer.remaining()) {
      throw new TrefoilException(
          Reason.INVALID,
          "malformed record: count " + count + " with " + buffer.remaining() + " bytes left");
    }
    return count;
  }

  public boolean hasRemaining() {
    return buffer.hasRemaining();
  }

  public int remaining() {
    return buffer.remaining();
  }

  private int length() {
    int length = i32();
    if (length < 0 || length > buffer.remaining()) {
      throw new TrefoilException(
          Reason.INVALID,
          "malformed record: field of "
              + length
              + " bytes with "
              + buffer.remaining()
              + " bytes left");
    }
    return length;
  }

  private static TrefoilException truncated(BufferUnderflowException cause) {
    return new TrefoilException(Reason.INVALID, "malformed record: it ends too early", cause);
  }
}
