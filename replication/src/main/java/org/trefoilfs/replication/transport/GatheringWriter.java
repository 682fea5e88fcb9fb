package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * A writer that takes large fields by reference, so that the data of a write is copied once, into
 * the frame.
 */
final class GatheringWriter extends ByteWriter {
  /** Below this a copy is cheaper than one more part. */
  private static final int BY_REFERENCE_BYTES = 1024;

  private final List<Cut> cuts = new ArrayList<>(1);

  /** A field that belongs before the byte at {@code position} of what was written in place. */
  private record Cut(int position, ByteBuffer field) {}

  @Override
  public ByteWriter blob(ByteBuffer value) {
    int length = value.remaining();
    if (length < BY_REFERENCE_BYTES) {
      return super.blob(value);
    }
    i32(length);
    cuts.add(new Cut(size(), value.slice()));
    return this;
  }

  @Override
  public ByteWriter blob(byte[] value) {
    return value.length < BY_REFERENCE_BYTES ? super.blob(value) : blob(ByteBuffer.wrap(value));
  }

  Payload toPayload() {
    ByteBuffer inPlace = toBuffer();
    List<ByteBuffer> parts = new ArrayList<>(2 * cuts.size() + 1);
    int from = 0;
    for (Cut cut : cuts) {
      parts.add(inPlace.slice(from, cut.position() - from));
      parts.add(cut.field());
      from = cut.position();
    }
    parts.add(inPlace.slice(from, size() - from));
    return Payload.of(parts);
  }
}
