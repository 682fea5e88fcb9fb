package org.trefoilfs.replication.journal;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.OperationId;

/** A record's payload as buffers to be gathered: what a write carries is never copied here. */
final class RecordCodec {
  private static final int PREPARED = 1;
  private static final int TRUNCATED = 2;
  private static final int COMMITTED = 3;
  private static final int INSTALLED = 4;
  private static final int RESET = 5;
  private static final int PATCHED = 6;
  private static final int COPYING = 7;
  private static final int ANSWERED = 8;

  private RecordCodec() {}

  static List<ByteBuffer> encode(JournalRecord record) {
    ByteWriter out = new ByteWriter();
    return switch (record) {
      case JournalRecord.Prepared prepared -> encodePrepared(out, prepared);
      case JournalRecord.Truncated(int pg, long view, long lastN) ->
          List.of(out.u8(TRUNCATED).i32(pg).i64(view).i64(lastN).toBuffer());
      case JournalRecord.Committed(int pg, long view, long n) ->
          List.of(out.u8(COMMITTED).i32(pg).i64(view).i64(n).toBuffer());
      case JournalRecord.Installed(int pg, ChunkImage image) ->
          encodeImage(out.u8(INSTALLED).i32(pg), image);
      case JournalRecord.Patched(int pg, ChunkImage image, BlockSet blocks) -> {
        blocks.writeTo(out.u8(PATCHED).i32(pg));
        yield encodeImage(out, image);
      }
      case JournalRecord.Copying copying -> List.of(encodeCopying(out, copying));
      case JournalRecord.Reset(int pg, long view, long n) ->
          List.of(out.u8(RESET).i32(pg).i64(view).i64(n).toBuffer());
      case JournalRecord.Answered(int pg, List<OperationId> operations) -> {
        out.u8(ANSWERED).i32(pg).i32(operations.size());
        operations.forEach(operation -> operation.writeTo(out));
        yield List.of(out.toBuffer());
      }
    };
  }

  /** The record; data in it are views of {@code payload}. */
  static JournalRecord decode(ByteBuffer payload) {
    ByteReader in = new ByteReader(payload);
    int type = in.u8();
    int pg = in.i32();
    return switch (type) {
      case PREPARED ->
          new JournalRecord.Prepared(
              pg, in.i64(), in.i64(), in.i64(), OperationId.readFrom(in), Mutation.readFrom(in));
      case TRUNCATED -> new JournalRecord.Truncated(pg, in.i64(), in.i64());
      case COMMITTED -> new JournalRecord.Committed(pg, in.i64(), in.i64());
      case INSTALLED -> new JournalRecord.Installed(pg, ChunkImage.readFrom(in));
      case RESET -> new JournalRecord.Reset(pg, in.i64(), in.i64());
      case PATCHED -> {
        BlockSet blocks = BlockSet.readFrom(in);
        yield new JournalRecord.Patched(pg, ChunkImage.readFrom(in), blocks);
      }
      case COPYING -> decodeCopying(pg, in);
      case ANSWERED -> new JournalRecord.Answered(pg, operations(in));
      default ->
          throw new TrefoilException(
              Reason.INVALID,
              "journal record of unknown type " + type + ": written by a newer version; upgrade");
    };
  }

  private static List<OperationId> operations(ByteReader in) {
    int count = in.count(2 * Long.BYTES);
    List<OperationId> operations = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      operations.add(OperationId.readFrom(in));
    }
    return operations;
  }

  private static List<ByteBuffer> encodePrepared(ByteWriter out, JournalRecord.Prepared record) {
    out.u8(PREPARED).i32(record.pg()).i64(record.view()).i64(record.n());
    out.i64(record.commitIndex());
    record.operation().writeTo(out);
    if (record.mutation() instanceof Mutation.Write write) {
      ByteBuffer data = write.data().duplicate();
      // Everything of Mutation.writeTo but the data: an empty blob, with its length put right.
      new Mutation.Write(write.chunk(), write.offset(), ByteBuffer.allocate(0)).writeTo(out);
      ByteBuffer head = out.toBuffer();
      head.putInt(head.limit() - Integer.BYTES, data.remaining());
      return List.of(head, data);
    }
    record.mutation().writeTo(out);
    return List.of(out.toBuffer());
  }

  private static ByteBuffer encodeCopying(ByteWriter out, JournalRecord.Copying record) {
    out.u8(COPYING).i32(record.pg()).bool(record.complete()).bool(record.base().isPresent());
    record.base().orElse(Version.NONE).writeTo(out);
    out.i32(record.reached().size());
    record.reached().forEach(version -> version.writeTo(out));
    return out.toBuffer();
  }

  private static JournalRecord decodeCopying(int pg, ByteReader in) {
    boolean complete = in.bool();
    boolean known = in.bool();
    Optional<Version> base = Optional.of(Version.readFrom(in)).filter(_ -> known);
    List<Version> reached = new ArrayList<>();
    for (int left = in.count(Version.ENCODED_BYTES); left > 0; left--) {
      reached.add(Version.readFrom(in));
    }
    return new JournalRecord.Copying(pg, complete, base, reached);
  }

  private static List<ByteBuffer> encodeImage(ByteWriter out, ChunkImage image) {
    image.id().writeTo(out);
    image.version().writeTo(out);
    out.i32(image.extents().size());
    List<ByteBuffer> buffers = new ArrayList<>(1 + 2 * image.extents().size());
    buffers.add(out.toBuffer());
    for (Extent extent : image.extents()) {
      ByteBuffer data = extent.data().duplicate();
      buffers.add(new ByteWriter().i32(extent.offset()).i32(data.remaining()).toBuffer());
      buffers.add(data);
    }
    return buffers;
  }
}
