package org.trefoilfs.replication.statelog.ratis;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.netty.NettyConfigKeys;
import org.apache.ratis.rpc.SupportedRpcType;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;
import org.trefoilfs.replication.statelog.ratis.RatisOptions.Settings;

/** Ratis' configuration. What differs from its defaults says why. */
final class Tuning {
  /** Largest command; an entry must fit a message between peers (4 MB) several times over. */
  static final int COMMAND_BYTES_MAX = 1 << 20;

  /**
   * Full log files whose entries are kept in memory, beside the one that is written. A follower
   * that is further behind is served from the disk. By default six: with what an entry takes as
   * objects, more than half of a host's heap.
   */
  private static final int CACHED_SEGMENTS = 1;

  /** Commands and bytes accepted but not yet applied; beyond, submitters are told UNAVAILABLE. */
  private static final int PENDING_COMMANDS_MAX = 4096;

  private static final SizeInBytes PENDING_BYTES_MAX = SizeInBytes.valueOf("64MB");

  /** One message of a snapshot: tens of milliseconds on a 1 Gbit/s link, bounded memory. */
  private static final SizeInBytes SNAPSHOT_CHUNK = SizeInBytes.valueOf("4MB");

  /**
   * Entries in one message to a follower: well under what its log takes without waiting for the
   * disk (4096), so that the answer comes before the leader gives the message up.
   */
  private static final int APPEND_ENTRIES_MAX = 512;

  /**
   * Read once, when Ratis' copy of Netty is loaded. One thread takes what peers send: two messages
   * of one leader, the second sent because the first took long, are then appended one after the
   * other. Ratis 3.3.0 fails when they are not, and does not count the failed one as ended: such a
   * follower never stands for election again ({@code FollowerState.outstandingOp}).
   */
  private static final String SERVER_THREADS =
      "org.apache.ratis.thirdparty.io.netty.eventLoopThreads";

  /** Nobody retries under Ratis' own ids here, so what it keeps for that only costs memory. */
  private static final Duration RETRY_CACHE = Duration.ofSeconds(1);

  /** A suspended machine may come back after any time; Ratis would close itself after 60 s. */
  private static final Duration PAUSE_CLOSES_AFTER = Duration.ofDays(3650);

  private static final Duration FOUNDER_ELECTION = Duration.ofMillis(50);

  /**
   * The leader's read lease, in shortest election time-outs. Idle followers are told every half of
   * one that there is a leader; a lease beyond that spares a round of heartbeats before a read.
   */
  private static final double LEADER_LEASE = 0.6;

  private Tuning() {}

  /**
   * For how long a leader has not been sure to lead when another is elected: voters answer a
   * candidate only when they have heard of no leader for the shortest election time-out. Not so
   * when a leader hands over.
   */
  static Duration silence(Settings settings) {
    Duration lease = Duration.ofMillis((long) (settings.electionMin().toMillis() * LEADER_LEASE));
    return settings.electionMin().minus(lease);
  }

  static RaftProperties properties(RatisOptions options) {
    System.setProperty(SERVER_THREADS, "1");
    RaftProperties p = new RaftProperties();
    RaftServerConfigKeys.setStorageDir(p, List.of(storage(options).toFile()));
    transport(p, options);
    elections(p, options.settings());
    if (options.start() == RatisOptions.Start.BOOTSTRAP) {
      electAtOnce(p);
    }
    reads(p, options.settings());
    log(p, options.settings());
    snapshots(p, options.settings());
    return p;
  }

  static Path storage(RatisOptions options) {
    return options.directory().resolve("raft");
  }

  private static void transport(RaftProperties p, RatisOptions options) {
    RaftConfigKeys.Rpc.setType(p, SupportedRpcType.NETTY);
    NettyConfigKeys.Server.setHost(p, options.raftAddress().host());
    NettyConfigKeys.Server.setPort(p, options.raftAddress().port());
    RaftClientConfigKeys.Rpc.setRequestTimeout(p, time(options.settings().peerRequest()));
    RaftServerConfigKeys.setCloseThreshold(p, time(PAUSE_CLOSES_AFTER));
  }

  private static void elections(RaftProperties p, Settings settings) {
    RaftServerConfigKeys.Rpc.setTimeoutMin(p, time(settings.electionMin()));
    RaftServerConfigKeys.Rpc.setTimeoutMax(p, time(settings.electionMax()));
    // By default a leader that lost its majority does not stand again for 10 s. With one of three
    // gone, a follower whose disk stands still for electionMax deposes it, and nobody else can be
    // elected then: it waits for its own turn, and no longer.
    RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(p, time(settings.electionMin()));
  }

  /** Nobody else is there to be heard of first. */
  private static void electAtOnce(RaftProperties p) {
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(p, time(FOUNDER_ELECTION.dividedBy(2)));
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(p, time(FOUNDER_ELECTION));
  }

  private static void reads(RaftProperties p, Settings settings) {
    RaftServerConfigKeys.Read.setOption(p, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
    RaftServerConfigKeys.Read.setLeaderLeaseEnabled(p, true);
    RaftServerConfigKeys.Read.setLeaderLeaseTimeoutRatio(p, LEADER_LEASE);
    RaftServerConfigKeys.Read.setTimeout(p, time(settings.request()));
  }

  private static void log(RaftProperties p, Settings settings) {
    SizeInBytes segment = SizeInBytes.valueOf(settings.segmentBytes());
    RaftServerConfigKeys.Log.setSegmentSizeMax(p, segment);
    RaftServerConfigKeys.Log.setPreallocatedSize(p, segment);
    // The four below: measured, together a third of the latency at depth 1.
    RaftServerConfigKeys.Log.Appender.setWaitTimeMin(p, TimeDuration.ZERO);
    RaftServerConfigKeys.Log.Appender.setBufferElementLimit(p, APPEND_ENTRIES_MAX);
    RaftServerConfigKeys.Log.setLogMetadataEnabled(p, false);
    RaftServerConfigKeys.Log.setAppendEntriesComposeEnabled(p, false);
    RaftServerConfigKeys.Log.setReadLockEnabled(p, false);
    RaftServerConfigKeys.Log.setSegmentCacheNumMax(p, CACHED_SEGMENTS);
    RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(p, true);
    RaftServerConfigKeys.Log.setPurgePreservationLogNum(p, settings.keptEntries());
    RaftServerConfigKeys.Write.setElementLimit(p, PENDING_COMMANDS_MAX);
    RaftServerConfigKeys.Write.setByteLimit(p, PENDING_BYTES_MAX);
    RaftServerConfigKeys.RetryCache.setExpiryTime(p, time(RETRY_CACHE));
  }

  private static void snapshots(RaftProperties p, Settings settings) {
    RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(p, true);
    RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(p, settings.snapshotEntries());
    // The state itself is kept by its own log; it knows its place in this one.
    RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(p, false);
    RaftServerConfigKeys.Snapshot.setRetentionFileNum(p, 2);
    RaftServerConfigKeys.Log.Appender.setSnapshotChunkSizeMax(p, SNAPSHOT_CHUNK);
  }

  private static TimeDuration time(Duration duration) {
    return TimeDuration.valueOf(duration.toMillis(), TimeUnit.MILLISECONDS);
  }
}
