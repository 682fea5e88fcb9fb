package org.trefoilfs.replication.codec;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Appends big-endian primitives and length-prefixed fields to a growing array. Not thread-safe.
 * Open for a writer that takes large fields by reference.
 */
public class ByteWriter {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private byte[] bytes;
  private int size;

  public ByteWriter() {
    this(128);
  }

  public ByteWriter(int capacity) {
    bytes = new byte[Math.max(16, capacity)];
  }

  public ByteWriter u8(int value) {
    ensure(1);
    bytes[size++] = (byte) value;
    return this;
  }

  public ByteWriter i32(int value) {
    ensure(4);
    INTS.set(bytes, size, value);
    size += 4;
    return this;
  }

  public ByteWriter i64(long value) {
    ensure(8);
    LONGS.set(bytes, size, value);
    size += 8;
    return this;
  }

  public ByteWriter bool(boolean value) {
    return u8(value ? 1 : 0);
  }

  /** Length (i32), then the bytes. */
  public ByteWriter blob(byte[] value) {
    i32(value.length);
    return raw(value);
  }

  /** Length (i32), then the buffer's remaining bytes; its position is left as it was. */
  public ByteWriter blob(ByteBuffer value) {
    int length = value.remaining();
    i32(length);
    ensure(length);
    value.duplicate().get(bytes, size, length);
    size += length;
    return this;
  }

  /** UTF-8 as a blob. For text of this program's own; names of files are bytes, not text. */
  public ByteWriter string(String value) {
    return blob(value.getBytes(StandardCharsets.UTF_8));
  }

  /** The bytes alone, without a length. */
  public ByteWriter raw(byte[] value) {
    ensure(value.length);
    System.arraycopy(value, 0, bytes, size, value.length);
    size += value.length;
    return this;
  }

  public int size() {
    return size;
  }

  public byte[] toBytes() {
    return Arrays.copyOf(bytes, size);
  }

  /** What was written, without a copy; valid until the next write. */
  public ByteBuffer toBuffer() {
    return ByteBuffer.wrap(bytes, 0, size);
  }

  private void ensure(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
    }
  }
}
