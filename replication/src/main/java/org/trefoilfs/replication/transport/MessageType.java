package org.trefoilfs.replication.transport;

import org.jspecify.annotations.Nullable;

/** The number of each kind of message on the wire. Stable; never reused. */
public enum MessageType {
  FAILED(1),
  DONE(2),
  WRITE(3),
  WRITTEN(4),
  FLUSH(5),
  READ(6),
  DATA(7),
  PREPARE(8),
  PREPARED(9),
  NEW_VIEW(10),
  COMMITTED(11),
  FLUSH_BACKUP(12),
  LIST_CHUNKS(13),
  CHUNK_LIST(14),
  FETCH_CHUNK(15),
  CHUNK(16),
  CAUGHT_UP(17),
  ASK_GROUPS(18),
  GROUP_REPORTS(19),
  HEARTBEAT(20),
  HEARTBEAT_REPLY(21),
  STATE_SUBMIT(22),
  STATE_QUERY(23),
  STATE_REPLY(24),
  MAP_REQUEST(25),
  MAP_REPLY(26),
  SESSION_PING(27),
  ADMIN(28),
  ADMIN_REPLY(29),
  LIST_CHANGES(30),
  CHANGE_LIST(31),
  FETCH_BLOCKS(32),
  BLOCKS(33),
  STATE_LEASE(34),
  STATE_KEEP_LEASES(35),
  ASK_BLOCKS(36),
  BLOCK_SETS(37);

  private static final @Nullable MessageType[] BY_CODE = new @Nullable MessageType[256];

  static {
    for (MessageType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;

  MessageType(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }

  /** The type with this number (0 to 255), or null when there is none. */
  static @Nullable MessageType ofCode(int code) {
    return BY_CODE[code];
  }

  public static MessageType of(Message message) {
    return switch (message) {
      case Message.Failed _ -> FAILED;
      case Message.Done _ -> DONE;
      case Message.Write _ -> WRITE;
      case Message.Written _ -> WRITTEN;
      case Message.Flush _ -> FLUSH;
      case Message.Read _ -> READ;
      case Message.Data _ -> DATA;
      case Message.Prepare _ -> PREPARE;
      case Message.Prepared _ -> PREPARED;
      case Message.NewView _ -> NEW_VIEW;
      case Message.Committed _ -> COMMITTED;
      case Message.FlushBackup _ -> FLUSH_BACKUP;
      case Message.ListChunks _ -> LIST_CHUNKS;
      case Message.ChunkList _ -> CHUNK_LIST;
      case Message.ListChanges _ -> LIST_CHANGES;
      case Message.ChangeList _ -> CHANGE_LIST;
      case Message.FetchBlocks _ -> FETCH_BLOCKS;
      case Message.Blocks _ -> BLOCKS;
      case Message.AskBlocks _ -> ASK_BLOCKS;
      case Message.BlockSets _ -> BLOCK_SETS;
      case Message.FetchChunk _ -> FETCH_CHUNK;
      case Message.Chunk _ -> CHUNK;
      case Message.CaughtUp _ -> CAUGHT_UP;
      case Message.AskGroups _ -> ASK_GROUPS;
      case Message.GroupReports _ -> GROUP_REPORTS;
      case Message.Heartbeat _ -> HEARTBEAT;
      case Message.HeartbeatReply _ -> HEARTBEAT_REPLY;
      case Message.StateSubmit _ -> STATE_SUBMIT;
      case Message.StateQuery _ -> STATE_QUERY;
      case Message.StateReply _ -> STATE_REPLY;
      case Message.StateLease _ -> STATE_LEASE;
      case Message.StateKeepLeases _ -> STATE_KEEP_LEASES;
      case Message.MapRequest _ -> MAP_REQUEST;
      case Message.MapReply _ -> MAP_REPLY;
      case Message.SessionPing _ -> SESSION_PING;
      case Message.Admin _ -> ADMIN;
      case Message.AdminReply _ -> ADMIN_REPLY;
    };
  }
}
