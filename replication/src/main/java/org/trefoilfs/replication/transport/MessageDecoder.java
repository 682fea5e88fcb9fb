package org.trefoilfs.replication.transport;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.transport.Message.CatchUp;
import org.trefoilfs.replication.transport.Message.ChangedChunk;
import org.trefoilfs.replication.transport.Message.Commit;
import org.trefoilfs.replication.transport.Message.HostReport;

/** Reads what {@link MessageEncoder} wrote; believes none of it. */
final class MessageDecoder {
  private static final int VIEW_BYTES = 4 + 8;
  private static final int COMMIT_BYTES = 4 + 8 + 8;
  private static final int CHUNK_AT_BYTES = 4 + 12;
  private static final int OPERATION_BYTES = 8 + 8;
  private static final int CHANGED_BYTES = 12 + 8 + BlockSet.MIN_ENCODED_BYTES;
  private static final int CATCH_UP_BYTES = 3 * 4 + 5 * 8;
  private static final int REPORT_BYTES = 4 + 1 + 2 * 8 + CATCH_UP_BYTES;

  private MessageDecoder() {}

  // One case per record; Java evaluates arguments from left to right, the order of the encoder.
  static Message decode(MessageType type, ByteReader in) {
    return switch (type) {
      case FAILED -> new Message.Failed(Reason.ofCode(in.i32()), in.string(), in.string());
      case DONE -> new Message.Done();
      case WRITE ->
          new Message.Write(
              in.i32(),
              in.i64(),
              in.i32(),
              in.i64(),
              OperationId.readFrom(in),
              Mutation.readFrom(in));
      case WRITTEN -> new Message.Written(in.i64(), in.i64());
      case FLUSH -> new Message.Flush(views(in));
      case READ -> new Message.Read(in.i32(), in.i64(), ChunkId.readFrom(in), in.i32(), in.i32());
      case DATA -> new Message.Data(in.blobView());
      case PREPARE ->
          new Message.Prepare(
              in.i32(),
              in.i64(),
              in.i64(),
              in.i64(),
              OperationId.readFrom(in),
              Mutation.readFrom(in));
      case PREPARED -> new Message.Prepared(in.i32(), in.i64(), in.i64());
      case NEW_VIEW -> new Message.NewView(in.i32(), in.i64(), in.i64(), in.i64(), in.i64());
      case COMMITTED -> new Message.Committed(commits(in));
      case FLUSH_BACKUP -> new Message.FlushBackup(views(in));
      case LIST_CHUNKS -> new Message.ListChunks(in.i32(), in.i64(), ChunkId.readFrom(in));
      case CHUNK_LIST ->
          new Message.ChunkList(
              in.i64(),
              list(in, ChunkInfo.ENCODED_BYTES, ChunkInfo::readFrom),
              list(in, OPERATION_BYTES, OperationId::readFrom),
              in.bool());
      case LIST_CHANGES ->
          new Message.ListChanges(
              in.i32(),
              in.i64(),
              Version.readFrom(in),
              list(in, Version.ENCODED_BYTES, Version::readFrom));
      case CHANGE_LIST ->
          new Message.ChangeList(
              in.bool(),
              in.i64(),
              list(in, CHANGED_BYTES, MessageDecoder::changed),
              list(in, OPERATION_BYTES, OperationId::readFrom));
      case FETCH_BLOCKS ->
          new Message.FetchBlocks(
              in.i32(), in.i64(), ChunkId.readFrom(in), in.i64(), BlockSet.readFrom(in));
      case BLOCKS -> {
        BlockSet blocks = BlockSet.readFrom(in);
        yield new Message.Blocks(checked(ChunkImage.readFrom(in)), blocks);
      }
      case ASK_BLOCKS -> new Message.AskBlocks(list(in, CHUNK_AT_BYTES, MessageDecoder::chunkAt));
      case BLOCK_SETS ->
          new Message.BlockSets(list(in, BlockSet.MIN_ENCODED_BYTES, BlockSet::readFrom));
      case FETCH_CHUNK -> new Message.FetchChunk(in.i32(), ChunkId.readFrom(in));
      case CHUNK -> new Message.Chunk(checked(ChunkImage.readFrom(in)));
      case CAUGHT_UP ->
          new Message.CaughtUp(in.i32(), in.i64(), hostId(in), in.i64(), in.i64(), in.i64());
      case ASK_GROUPS -> new Message.AskGroups(list(in, 4, ByteReader::i32));
      case GROUP_REPORTS -> new Message.GroupReports(commits(in));
      case HEARTBEAT ->
          new Message.Heartbeat(
              hostId(in), in.i64(), in.i64(), in.i64(), in.i64(), in.bool(), catchUp(in));
      case HEARTBEAT_REPLY ->
          new Message.HeartbeatReply(
              in.bool(),
              in.i64(),
              map(in, REPORT_BYTES, MessageDecoder::hostId, MessageDecoder::report));
      case STATE_SUBMIT -> new Message.StateSubmit((byte) in.u8(), in.blob());
      case STATE_QUERY -> new Message.StateQuery((byte) in.u8(), in.blob());
      case STATE_REPLY -> new Message.StateReply(in.blob());
      case STATE_LEASE -> new Message.StateLease((byte) in.u8(), in.i64(), in.bool(), in.blob());
      case STATE_KEEP_LEASES -> new Message.StateKeepLeases(in.blob());
      case MAP_REQUEST -> new Message.MapRequest(in.i64());
      case MAP_REPLY -> new Message.MapReply(in.blob());
      case SESSION_PING ->
          new Message.SessionPing(
              in.i64(),
              in.i64(),
              SpoolWindow.readFrom(in),
              list(in, SpooledRange.ENCODED_BYTES, SpooledRange::readFrom));
      case ADMIN -> new Message.Admin(in.string(), in.blob());
      case ADMIN_REPLY -> new Message.AdminReply(in.blob());
    };
  }

  private static Map<Integer, Long> views(ByteReader in) {
    return map(in, VIEW_BYTES, ByteReader::i32, ByteReader::i64);
  }

  private static Map<Integer, Commit> commits(ByteReader in) {
    return map(in, COMMIT_BYTES, ByteReader::i32, r -> new Commit(r.i64(), r.i64()));
  }

  private static Message.ChunkAt chunkAt(ByteReader in) {
    return new Message.ChunkAt(in.i32(), ChunkId.readFrom(in));
  }

  private static ChangedChunk changed(ByteReader in) {
    return new ChangedChunk(ChunkId.readFrom(in), in.i64(), BlockSet.readFrom(in));
  }

  private static HostReport report(ByteReader in) {
    return new HostReport(in.bool(), in.i64(), in.i64(), catchUp(in));
  }

  private static CatchUp catchUp(ByteReader in) {
    return new CatchUp(
        new CatchUp.Groups(in.i32(), in.i32(), in.i32()),
        new CatchUp.Bytes(in.i64(), in.i64(), in.i64()),
        in.i64(),
        in.i64());
  }

  private static HostId hostId(ByteReader in) {
    int value = in.i32();
    if (value < 1) {
      throw malformed("host id " + value + " is below 1");
    }
    return new HostId(value);
  }

  private static ChunkImage checked(ChunkImage image) {
    for (Extent extent : image.extents()) {
      long end = (long) extent.offset() + extent.data().remaining();
      if (extent.offset() < 0 || end > ChunkId.SIZE) {
        throw malformed("extent [" + extent.offset() + ", " + end + ") is outside its chunk");
      }
    }
    return image;
  }

  private static <T> List<T> list(
      ByteReader in, int bytesEach, Function<ByteReader, T> readElement) {
    int count = count(in, bytesEach);
    List<T> elements = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      elements.add(readElement.apply(in));
    }
    return elements;
  }

  private static <K, V> Map<K, V> map(
      ByteReader in,
      int bytesEach,
      Function<ByteReader, K> readKey,
      Function<ByteReader, V> readValue) {
    int count = count(in, bytesEach);
    Map<K, V> entries = LinkedHashMap.newLinkedHashMap(count);
    for (int i = 0; i < count; i++) {
      K key = readKey.apply(in);
      if (entries.put(key, readValue.apply(in)) != null) {
        throw malformed("key " + key + " appears twice");
      }
    }
    return entries;
  }

  private static int count(ByteReader in, int bytesEach) {
    int count = in.count(bytesEach);
    if (count > MessageCodec.ELEMENTS_MAX) {
      throw malformed(count + " elements, at most " + MessageCodec.ELEMENTS_MAX);
    }
    return count;
  }

  private static TrefoilException malformed(String why) {
    return new TrefoilException(Reason.INVALID, "malformed message: " + why);
  }
}
