package org.trefoilfs.replication.statelog.ratis;

import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;

/**
 * How a host's replica of the state log is started.
 *
 * @param directory its own, on one filesystem: snapshots share tables by hard links
 * @param raftAddress where it listens, and what the others are told
 * @param cluster id of the cluster; peers of another are refused
 */
public record RatisOptions(
    Path directory,
    HostId self,
    Address raftAddress,
    UUID cluster,
    Start start,
    Settings settings) {

  /** What a host is when it starts. */
  public enum Start {
    /**
     * First voter of a new cluster. Only for a host that has just invented the cluster's id: with
     * its directory lost, one of an old cluster would found a second one under the same name.
     */
    BOOTSTRAP,
    /** Empty, until the leader adds it. */
    JOIN,
    /** A member again, from its directory, which must exist. */
    RESTART
  }

  /**
   * Times and sizes.
   *
   * @param electionMin a follower that has heard nothing for between this and {@code electionMax}
   *     stands for election; the leader's read lease is 0.6 of it. A 0.4 s pause lost a 300 ms one
   * @param electionMax two that stand within the time that an election takes, some 40 ms on busy
   *     hosts, elect nobody, and the next try costs as much again: from 800 ms, one election in
   *     three took 2 s. A lost host is missed after 2 s anyway
   * @param peerRequest after which an unanswered message to a peer is given up, and sent again; it
   *     holds up only that peer's own stream
   * @param request how long an accepted command or read may take before its outcome is unknown
   * @param snapshotEntries log entries between snapshots: what Ratis hands a host that was killed
   *     before it serves; its state has them, unless the machine went down
   * @param keptEntries entries kept behind a snapshot, so that a host that was away for a moment
   *     needs no snapshot
   * @param segmentBytes size of a log file
   */
  public record Settings(
      Duration electionMin,
      Duration electionMax,
      Duration peerRequest,
      Duration request,
      long snapshotEntries,
      long keptEntries,
      int segmentBytes) {
    public static final Settings DEFAULT =
        new Settings(
            Duration.ofMillis(600),
            Duration.ofMillis(1200),
            Duration.ofSeconds(2),
            Duration.ofSeconds(10),
            10_000,
            20_000,
            8 << 20);
  }
}
