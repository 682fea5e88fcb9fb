package org.trefoilfs.replication.chunk;

import java.nio.ByteBuffer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/** A change of one chunk, as it travels in PREPARE and lies in the journal. */
public sealed interface Mutation {
  ChunkId chunk();

  /** Bytes of data that it brings. */
  default int bytes() {
    return this instanceof Write write ? write.data().remaining() : 0;
  }

  /**
   * Replaces bytes from {@code offset} within the chunk; {@code data} is never modified and its
   * position is ignored.
   */
  record Write(ChunkId chunk, int offset, ByteBuffer data) implements Mutation {
    public Write {
      checkRange(chunk, offset, data.remaining());
    }
  }

  /** Makes a range read as zeros and gives its space back. */
  record Punch(ChunkId chunk, int offset, int length) implements Mutation {
    public Punch {
      checkRange(chunk, offset, length);
    }
  }

  /** Removes the chunk. */
  record Delete(ChunkId chunk) implements Mutation {}

  default void writeTo(ByteWriter out) {
    switch (this) {
      case Write(ChunkId chunk, int offset, ByteBuffer data) -> {
        out.u8(1);
        chunk.writeTo(out);
        out.i32(offset).blob(data);
      }
      case Punch(ChunkId chunk, int offset, int length) -> {
        out.u8(2);
        chunk.writeTo(out);
        out.i32(offset).i32(length);
      }
      case Delete(ChunkId chunk) -> {
        out.u8(3);
        chunk.writeTo(out);
      }
    }
  }

  /** Reads one; the data of a {@link Write} is a view of the input. */
  static Mutation readFrom(ByteReader in) {
    int kind = in.u8();
    ChunkId chunk = ChunkId.readFrom(in);
    return switch (kind) {
      case 1 -> new Write(chunk, in.i32(), in.blobView());
      case 2 -> new Punch(chunk, in.i32(), in.i32());
      case 3 -> new Delete(chunk);
      default -> throw new TrefoilException(Reason.INVALID, "unknown kind of mutation " + kind);
    };
  }

  private static void checkRange(ChunkId chunk, int offset, int length) {
    if (offset < 0 || length < 0 || (long) offset + length > ChunkId.SIZE) {
      throw new TrefoilException(
          Reason.INVALID,
          "range ["
              + offset
              + ", +"
              + length
              + ") is outside chunk "
              + chunk
              + " of "
              + ChunkId.SIZE
              + " bytes");
    }
  }
}
