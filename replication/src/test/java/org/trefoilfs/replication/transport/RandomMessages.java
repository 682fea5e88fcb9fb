package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Extent;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.transport.Message.CatchUp;
import org.trefoilfs.replication.transport.Message.Commit;
import org.trefoilfs.replication.transport.Message.HostReport;

/** Messages of every type with random contents, by seed. */
public final class RandomMessages {
  private final Random random;
  private final int dataMax;

  public RandomMessages(long seed, int dataMax) {
    this.random = new Random(seed);
    this.dataMax = dataMax;
  }

  public Message next() {
    MessageType[] types = MessageType.values();
    return next(types[random.nextInt(types.length)]);
  }

  public Message next(MessageType type) {
    return switch (type) {
      case FAILED -> new Message.Failed(reason(), text(), text());
      case DONE -> new Message.Done();
      case WRITE -> new Message.Write(i(), l(), i(), l(), operation(), mutation());
      case WRITTEN -> new Message.Written(l(), l());
      case FLUSH -> new Message.Flush(views());
      case READ -> new Message.Read(i(), l(), chunk(), i(), i());
      case DATA -> new Message.Data(data());
      case PREPARE -> new Message.Prepare(i(), l(), l(), l(), operation(), mutation());
      case PREPARED -> new Message.Prepared(i(), l(), l());
      case NEW_VIEW -> new Message.NewView(i(), l(), l(), l(), l());
      case COMMITTED -> new Message.Committed(commits());
      case FLUSH_BACKUP -> new Message.FlushBackup(views());
      case LIST_CHUNKS -> new Message.ListChunks(i(), l(), chunk());
      case CHUNK_LIST ->
          new Message.ChunkList(
              l(),
              some(() -> new ChunkInfo(chunk(), version(), l(), i())),
              some(this::operation),
              random.nextBoolean());
      case LIST_CHANGES -> new Message.ListChanges(i(), l(), version(), some(this::version));
      case CHANGE_LIST ->
          new Message.ChangeList(
              random.nextBoolean(),
              l(),
              some(() -> new Message.ChangedChunk(chunk(), l(), blocks())),
              some(this::operation));
      case FETCH_BLOCKS -> new Message.FetchBlocks(i(), l(), chunk(), l(), blocks());
      case BLOCKS -> new Message.Blocks(image(), blocks());
      case ASK_BLOCKS -> new Message.AskBlocks(some(() -> new Message.ChunkAt(i(), chunk())));
      case BLOCK_SETS -> new Message.BlockSets(some(this::blocks));
      case FETCH_CHUNK -> new Message.FetchChunk(i(), chunk());
      case CHUNK -> new Message.Chunk(image());
      case CAUGHT_UP -> new Message.CaughtUp(i(), l(), host(), l(), l(), l());
      case ASK_GROUPS -> new Message.AskGroups(some(this::i));
      case GROUP_REPORTS -> new Message.GroupReports(commits());
      case HEARTBEAT ->
          new Message.Heartbeat(host(), l(), l(), l(), l(), random.nextBoolean(), catchUp());
      case HEARTBEAT_REPLY -> new Message.HeartbeatReply(random.nextBoolean(), l(), reports());
      case STATE_SUBMIT -> new Message.StateSubmit((byte) i(), bytes());
      case STATE_QUERY -> new Message.StateQuery((byte) i(), bytes());
      case STATE_REPLY -> new Message.StateReply(bytes());
      case STATE_LEASE -> new Message.StateLease((byte) i(), l(), random.nextBoolean(), bytes());
      case STATE_KEEP_LEASES -> new Message.StateKeepLeases(bytes());
      case MAP_REQUEST -> new Message.MapRequest(l());
      case MAP_REPLY -> new Message.MapReply(bytes());
      case SESSION_PING ->
          new Message.SessionPing(
              l(),
              l(),
              new SpoolWindow(l(), l(), l(), l(), l()),
              List.of(new SpooledRange(l(), l(), l())));
      case ADMIN -> new Message.Admin(text(), bytes());
      case ADMIN_REPLY -> new Message.AdminReply(bytes());
    };
  }

  private int i() {
    return random.nextInt();
  }

  private long l() {
    return random.nextLong();
  }

  private Reason reason() {
    return Reason.values()[random.nextInt(Reason.values().length)];
  }

  private String text() {
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(40);
    for (int k = 0; k < length; k++) {
      text.appendCodePoint(random.nextInt(8) == 0 ? 0x1F340 : ' ' + random.nextInt(0x300));
    }
    return text.toString();
  }

  private byte[] bytes() {
    byte[] bytes = new byte[random.nextInt(dataMax + 1)];
    random.nextBytes(bytes);
    if (random.nextBoolean()) {
      for (int k = 0; k < bytes.length; k++) {
        bytes[k] &= 3;
      }
    }
    return bytes;
  }

  /** Direct or on the heap, and often with a position and limit of its own. */
  private ByteBuffer data() {
    byte[] bytes = bytes();
    int before = random.nextInt(10);
    int capacity = before + bytes.length + random.nextInt(10);
    ByteBuffer buffer =
        random.nextBoolean() ? ByteBuffer.allocate(capacity) : ByteBuffer.allocateDirect(capacity);
    buffer.put(before, bytes).position(before).limit(before + bytes.length);
    return random.nextBoolean() ? buffer.asReadOnlyBuffer() : buffer;
  }

  private BlockSet blocks() {
    BlockSet blocks = BlockSet.none();
    for (int k = random.nextInt(4); k > 0; k--) {
      blocks.add(BlockSet.of(mutation()));
    }
    return blocks;
  }

  private Mutation mutation() {
    return switch (random.nextInt(3)) {
      case 0 -> new Mutation.Write(chunk(), random.nextInt(ChunkId.SIZE - dataMax), data());
      case 1 -> new Mutation.Punch(chunk(), random.nextInt(1 << 20), random.nextInt(1 << 20));
      default -> new Mutation.Delete(chunk());
    };
  }

  private ChunkImage image() {
    return new ChunkImage(
        chunk(), version(), some(() -> new Extent(random.nextInt(ChunkId.SIZE - dataMax), data())));
  }

  private ChunkId chunk() {
    return new ChunkId(l(), i());
  }

  private Version version() {
    return new Version(l(), l());
  }

  private OperationId operation() {
    return new OperationId(l(), l());
  }

  private HostId host() {
    return new HostId(1 + random.nextInt(1 << 30));
  }

  private CatchUp catchUp() {
    return new CatchUp(
        new CatchUp.Groups(i(), i(), i()), new CatchUp.Bytes(l(), l(), l()), l(), l());
  }

  private Map<Integer, Long> views() {
    Map<Integer, Long> views = new HashMap<>();
    some(() -> views.put(i(), l()));
    return views;
  }

  private Map<Integer, Commit> commits() {
    Map<Integer, Commit> commits = new HashMap<>();
    some(() -> commits.put(i(), new Commit(l(), l())));
    return commits;
  }

  private Map<HostId, HostReport> reports() {
    Map<HostId, HostReport> reports = new HashMap<>();
    some(() -> reports.put(host(), new HostReport(random.nextBoolean(), l(), l(), catchUp())));
    return reports;
  }

  private <T> List<T> some(Supplier<T> one) {
    List<T> list = new ArrayList<>();
    int count = random.nextInt(6);
    for (int k = 0; k < count; k++) {
      list.add(one.get());
    }
    return list;
  }

  /** A message's encoding in one array: equal exactly when the messages are. */
  public static byte[] bytesOf(Message message) {
    Payload payload = MessageCodec.encode(message);
    ByteBuffer all = ByteBuffer.allocate((int) payload.length() + 1);
    all.put((byte) MessageType.of(message).code());
    payload.parts().forEach(part -> all.put(part.duplicate()));
    return all.array();
  }

  static ByteBuffer payloadOf(Message message) {
    return ByteBuffer.wrap(bytesOf(message)).slice(1, bytesOf(message).length - 1);
  }
}
