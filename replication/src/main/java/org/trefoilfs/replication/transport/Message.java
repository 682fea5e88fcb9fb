package org.trefoilfs.replication.transport;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.chunk.BlockSet;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.ChunkInfo;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;

/**
 * What hosts say to each other. A request is answered by the reply type named at it, or by {@link
 * Failed}. Messages to one host on one {@link Lane} arrive in the order in which they were sent.
 */
public sealed interface Message {
  /**
   * Which of the connections to a host carries it, so that a bulk transfer never delays a
   * heartbeat.
   */
  enum Lane {
    /** Heartbeats, state log, administration. */
    CONTROL,
    /** Reads, flushes, what removes data: what a host always takes. */
    DATA,
    /** Catch-up and scrub. */
    BULK,
    /**
     * Writers' data, which wait at their end while the host cannot take more; see {@link Intake}.
     */
    WRITE,
    /**
     * What a primary has the other members prepare, in order. Not behind {@link #WRITE}: two hosts
     * that are full of writes must still commit each other's.
     */
    COMMIT
  }

  default Lane lane() {
    return Lane.DATA;
  }

  // ---- any request

  /**
   * The answer to a request that failed. {@code hint} is a host to ask instead, as {@code
   * ADDRESS:PORT}, or empty.
   */
  record Failed(Reason reason, String message, String hint) implements Message {}

  /** The answer to a request that has nothing to say but success. */
  record Done() implements Message {}

  // ---- writing and reading, mount to replica

  /**
   * A client's write, to the primary of {@code pg} in {@code view}. Answered by {@link Written}.
   *
   * @param minInSync members that must be in sync for it to be taken, as the volume wants it; 0: as
   *     usual for so many replicas
   * @param session the mount's session, which must not be over; 0: of no mount
   */
  record Write(
      int pg, long view, int minInSync, long session, OperationId operation, Mutation mutation)
      implements Message {
    /** What removes data is never held up: it may be what makes room. */
    @Override
    public Lane lane() {
      return mutation instanceof Mutation.Write ? Lane.WRITE : Lane.DATA;
    }
  }

  /** Committed as number {@code n} in {@code view}. */
  record Written(long view, long n) implements Message {}

  /**
   * Makes all writes of these groups that the receiver, their primary, has committed stable
   * everywhere. {@link Done}.
   */
  record Flush(Map<Integer, Long> viewOfGroup) implements Message {}

  /** Reads from any in-sync member. Answered by {@link Data}. */
  record Read(int pg, long view, ChunkId chunk, int offset, int length) implements Message {}

  record Data(ByteBuffer bytes) implements Message {}

  /**
   * Asks an in-sync member of all these groups which blocks of the chunks hold anything but zeros,
   * as committed now. Answered by {@link BlockSets}.
   */
  record AskBlocks(List<ChunkAt> chunks) implements Message {}

  /** A chunk, and the group that it is in. */
  record ChunkAt(int pg, ChunkId chunk) {}

  /** A set for each chunk that was asked for, in the same order. */
  record BlockSets(List<BlockSet> sets) implements Message {}

  // ---- the commit protocol, primary to backup

  /**
   * Write {@code n} of {@code view}; {@code commitIndex} is the highest committed number. Answered
   * by {@link Prepared}.
   */
  record Prepare(
      int pg, long view, long n, long commitIndex, OperationId operation, Mutation mutation)
      implements Message {
    @Override
    public Lane lane() {
      return Lane.COMMIT;
    }
  }

  /** The sender's journal holds every write of the view up to {@code n}. */
  record Prepared(int pg, long view, long n) implements Message {}

  /**
   * First message of a new primary to a member: what it has prepared beyond {@code lastN} is void.
   * The sender's suffix above {@code commitIndex} follows as PREPAREs, which replace the receiver's
   * own. {@code attempt} counts those sent to the receiver in the view. Answered by {@link
   * Prepared} with the last number that the receiver is known to share.
   */
  record NewView(int pg, long view, long commitIndex, long lastN, long attempt) implements Message {
    @Override
    public Lane lane() {
      return Lane.COMMIT;
    }
  }

  /**
   * Commit indexes by group, sent when no PREPARE carried them; never behind PREPAREs that wait.
   * {@link Done}.
   */
  record Committed(Map<Integer, Commit> commits) implements Message {}

  record Commit(long view, long n) {}

  /** The receiver's journal is to be stable for these groups, in the views given. {@link Done}. */
  record FlushBackup(Map<Integer, Long> viewOfGroup) implements Message {}

  // ---- catch-up, joiner to primary

  /**
   * Starts or continues a joiner's listing of a group, from {@code after} (exclusive). Answered by
   * {@link ChunkList}.
   */
  record ListChunks(int pg, long view, ChunkId after) implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * {@code more} when the listing goes on after the last chunk. {@code commitIndex} as of the
   * listing.
   */
  record ChunkList(long commitIndex, List<ChunkInfo> chunks, List<OperationId> recent, boolean more)
      implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * A joiner asks what was written since it was in sync. Answered by {@link ChangeList}.
   *
   * @param base its chunks hold everything up to this
   * @param reached and some of what came later, up to these
   */
  record ListChanges(int pg, long view, Version base, List<Version> reached) implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * @param known whether the receiver could tell; if not, all chunks have to be compared
   * @param since the joiner's history and the group's are one up to this number; from here on the
   *     joiner's own writes are to be replaced as well
   * @param recent operations that the group has committed lately
   */
  record ChangeList(boolean known, long since, List<ChangedChunk> chunks, List<OperationId> recent)
      implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /** Blocks of a chunk that were written, the last time as number {@code lastN}. */
  record ChangedChunk(ChunkId id, long lastN, BlockSet blocks) {}

  /**
   * Asks the primary of the view for these blocks of a chunk, and those written after number {@code
   * since}, as committed now. Answered by {@link Blocks}.
   */
  record FetchBlocks(int pg, long view, ChunkId chunk, long since, BlockSet blocks)
      implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * Some blocks of a chunk with its version: all those that were written between what was asked for
   * and this version are among them.
   *
   * @param image of these blocks alone; those without an extent are holes
   */
  record Blocks(ChunkImage image, BlockSet blocks) implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /** Asks for a chunk as committed now. Answered by {@link Chunk}. */
  record FetchChunk(int pg, ChunkId chunk) implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * The chunk with its version, or one without extents at {@code Version.NONE} when there is none.
   */
  record Chunk(ChunkImage image) implements Message {
    @Override
    public Lane lane() {
      return Lane.BULK;
    }
  }

  /**
   * A joiner has everything up to the live stream that began with the {@code attempt}-th NEW_VIEW
   * of the view. Said again, with what is stable by then, until the view follows in which it is in
   * sync. {@link Done}.
   *
   * @param stable the last number that its journal holds on stable storage
   */
  record CaughtUp(int pg, long view, HostId host, long incarnation, long attempt, long stable)
      implements Message {}

  /**
   * Asks a stopped member for the last write it holds of each closed group. Answered by {@link
   * GroupReports}.
   */
  record AskGroups(List<Integer> groups) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /** By group: the last prepared write. */
  record GroupReports(Map<Integer, Commit> lastOfGroup) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  // ---- control

  /**
   * A host is alive. Answered by {@link HeartbeatReply}. {@code fenced} is the epoch up to which no
   * session that is over can write there, {@code stopping} says that it has given its lease up for
   * good, {@code catchUp} is progress for {@code status}.
   */
  record Heartbeat(
      HostId host,
      long incarnation,
      long spaceTotal,
      long spaceUsable,
      long fenced,
      boolean stopping,
      CatchUp catchUp)
      implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /**
   * How far a host has come in its catch-up, or what came of its last one since it started.
   *
   * @param bytesPerSecond over the last seconds
   * @param millis it has taken so far, or took
   */
  record CatchUp(Groups groups, Bytes bytes, long bytesPerSecond, long millis) {
    public static final CatchUp NONE = new CatchUp(new Groups(0, 0, 0), new Bytes(0, 0, 0), 0, 0);

    /**
     * @param left that it still joins
     * @param unlisted of which it does not know yet what it is to copy
     * @param total that it joined or joins
     */
    public record Groups(int left, int unlisted, int total) {}

    /**
     * @param left to be copied, as far as known
     * @param changed in the blocks that were found to differ, or to have been written since
     */
    public record Bytes(long left, long copied, long changed) {}

    public boolean isUnderWay() {
      return groups.left() > 0;
    }

    /** How long the rest will take at the present rate; empty while that is unknown. */
    public Optional<Duration> eta() {
      if (groups.unlisted() > 0 || (bytes.left() > 0 && bytesPerSecond <= 0)) {
        return Optional.empty();
      }
      double seconds = bytes.left() == 0 ? 0 : (double) bytes.left() / bytesPerSecond;
      return Optional.of(Duration.ofMillis(Math.round(seconds * 1000)));
    }
  }

  /**
   * @param leased whether the receiver leads the state log, verified, and extends the sender's
   *     lease from the moment the heartbeat was sent
   * @param reports what the receiver last heard of every host
   */
  record HeartbeatReply(boolean leased, long mapEpoch, Map<HostId, HostReport> reports)
      implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /** What a host last said of itself. */
  record HostReport(boolean alive, long spaceTotal, long spaceUsable, CatchUp catchUp) {}

  /** Commits a command. Answered by {@link StateReply}. */
  record StateSubmit(byte module, byte[] command) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /** A linearizable read. Answered by {@link StateReply}. */
  record StateQuery(byte module, byte[] query) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /**
   * A query of a session that leases. Answered by a {@code LeasedReply} in a {@link StateReply}.
   *
   * @param wanted whether it would like to remember the answer
   */
  record StateLease(byte module, long session, boolean wanted, byte[] query) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /** A {@code LeaseReport}. Answered by {@code LeaseNews} in a {@link StateReply}, in time. */
  record StateKeepLeases(byte[] report) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  record StateReply(byte[] reply) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /**
   * Asks any host for the cluster and its placement map as of its state log, if newer than {@code
   * epoch}.
   */
  record MapRequest(long epoch) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /** The encoded changes since the epoch asked for; see {@code membership.ClusterState}. */
  record MapReply(byte[] delta) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /**
   * A mount's session lives. Answered by {@link Done}, or {@link Failed} with STALE when it was
   * evicted.
   *
   * @param window what the mount would lose if it died now
   * @param ranges of which files, some of them
   */
  record SessionPing(long session, long orphanCursor, SpoolWindow window, List<SpooledRange> ranges)
      implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  /**
   * A verb of administration with its argument (JSON), between a command line and a daemon.
   * Answered by {@link AdminReply}.
   */
  record Admin(String verb, byte[] body) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }

  record AdminReply(byte[] body) implements Message {
    @Override
    public Lane lane() {
      return Lane.CONTROL;
    }
  }
}
