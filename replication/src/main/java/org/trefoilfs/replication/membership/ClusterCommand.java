package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;

/**
 * A change of the cluster, as it lies in the state log. {@link ClusterClient} says what each
 * answers.
 */
public sealed interface ClusterCommand {
  /**
   * Groups in one {@link ChangeViews} or {@link ReopenGroups}: a log entry of about 100 KiB, which
   * neither holds up the log nor nears its limit.
   */
  int MAX_GROUPS = 1024;

  /**
   * Founds the cluster with 2^bits groups in each pool. EXISTS when it has another id.
   *
   * @param detection after how long of silence a host is lost; one value for all hosts, because a
   *     lease is only safe against a detector that waits twice as long (see {@link
   *     FailureDetector})
   */
  record CreateCluster(String clusterId, int bits, Duration detection) implements ClusterCommand {
    public CreateCluster(String clusterId, int bits) {
      this(clusterId, bits, ClusterView.DEFAULT_DETECTION);
    }
  }

  /**
   * Enters a host, JOINING until it starts. Name and address again name the same host. EXISTS when
   * only one of them is free.
   */
  record RegisterHost(
      String name, Address address, Address raftAddress, boolean witness, int weight, String domain)
      implements ClusterCommand {}

  /**
   * A host's daemon runs under {@code incarnation}; or runs still, and has learned that it was
   * taken for dead. What an earlier incarnation had not synced may be gone: the host leaves every
   * in-sync set that has a live member besides, and catches up; other groups of its own close until
   * {@link ReopenGroups}. STALE when the incarnation is lower than the recorded one.
   *
   * @param live members that the leader of the state log hears, as of now
   */
  record HostStarted(
      HostId host, long incarnation, Address address, Address raftAddress, Set<PgView.Member> live)
      implements ClusterCommand {
    public HostStarted {
      live = Set.copyOf(live);
    }
  }

  /**
   * The leader has found these dead, their leases have run out (see {@link FailureDetector}). A
   * group all of whose members are among them keeps its complete in-sync set, where one after the
   * other would leave only the last one recorded.
   *
   * @param asOf epoch of the view that the decision was made on. Without effect on a host that came
   *     up later, be it under the same incarnation: the command may have lain in the log while the
   *     host was lost by an earlier one, came back and was given a lease
   */
  record HostsLost(long asOf, List<PgView.Member> members) implements ClusterCommand {
    public HostsLost {
      members = List.copyOf(members);
    }
  }

  /** A compare-and-set on each group's view, independent of the others'. */
  record ChangeViews(List<Change> changes) implements ClusterCommand {
    public ChangeViews {
      changes = List.copyOf(changes);
    }
  }

  record Change(long expectedView, PgView next) {}

  /**
   * Opens closed groups, each from the members that hold the last write. Only from the complete
   * in-sync set, every host of it up; or from members that never stopped, which therefore hold
   * whatever was committed.
   */
  record ReopenGroups(List<Reopen> groups) implements ClusterCommand {
    public ReopenGroups {
      groups = List.copyOf(groups);
    }
  }

  /**
   * Opens one group.
   *
   * @param members former in-sync members that hold the group's last write, under their hosts'
   *     present incarnations; the first is to be primary
   * @param joiners who is to catch up; those that are down are left out
   * @param last that write; absent: they never stopped, and hold whatever was committed
   */
  record Reopen(
      int pg,
      long expectedView,
      List<PgView.Member> members,
      List<HostId> joiners,
      Optional<Version> last) {
    public Reopen {
      members = List.copyOf(members);
      joiners = List.copyOf(joiners);
    }
  }

  /**
   * An operator's choice to open groups without their complete in-sync sets: writes that only the
   * missing members hold are given up. A group that does not wait for one of the missing, or one of
   * whose missing members runs again, is refused. {@link AcceptedLoss} is the record of it.
   */
  record ForceReopen(List<Reopen> groups, Choice choice) implements ClusterCommand {
    public ForceReopen {
      groups = List.copyOf(groups);
    }
  }

  /**
   * Who chose to give hosts up, and when; see {@link AcceptedLoss}.
   *
   * @param id of the choice, the same in all entries that carry it out
   */
  record Choice(long id, long atMillis, String operator, List<HostId> missing) {
    public Choice {
      missing = List.copyOf(missing);
    }
  }

  /**
   * Creates the pool of {@code replicas}, see {@code Placement.initial}. Without effect when there
   * is one. STALE_VIEW when the hosts are no longer what the table was computed from.
   */
  record CreatePool(int replicas, List<PgView> groups) implements ClusterCommand {
    public CreatePool {
      groups = List.copyOf(groups);
    }
  }

  /**
   * NOT_FOUND when its pool does not exist yet.
   *
   * @param minInSync 1 to {@code replicas}; 0: as usual for so many replicas
   */
  record CreateVolume(String name, int replicas, int minInSync, CommitMode commit, SpoolLimits rpo)
      implements ClusterCommand {
    public CreateVolume(String name, int replicas, CommitMode commit) {
      this(name, replicas, 0, commit, SpoolLimits.DEFAULT);
    }
  }

  /**
   * @param minInSync 0: as it is
   */
  record SetVolume(String name, int minInSync, CommitMode commit, SpoolLimits rpo)
      implements ClusterCommand {
    public SetVolume(String name, CommitMode commit) {
      this(name, 0, commit, SpoolLimits.DEFAULT);
    }
  }

  /** BUSY while it is mounted. Its row stays until {@link VolumeGone}. */
  record DeleteVolume(String name) implements ClusterCommand {}

  /** The files of a deleted volume are gone. */
  record VolumeGone(int id) implements ClusterCommand {}

  /** BUSY while it holds groups. */
  record RemoveHost(HostId host) implements ClusterCommand {}

  /** LEAVING empties the host, UP takes that back; the other states are not for operators. */
  record SetHostState(HostId host, HostState state) implements ClusterCommand {}

  record OpenSession(long session, int volume, String host, String mountPoint)
      implements ClusterCommand {}

  record CloseSession(long session) implements ClusterCommand {}

  /**
   * The mount is silent, or was killed: its session ends without it.
   *
   * @param atMillis when, since 1970
   * @param window what it last said it would lose
   * @param ranges of which files
   */
  record EvictSession(long session, long atMillis, SpoolWindow window, List<SpooledRange> ranges)
      implements ClusterCommand {
    public EvictSession {
      ranges = List.copyOf(ranges);
    }
  }

  default byte[] encode() {
    return ClusterCommandCodec.encode(this);
  }

  static ClusterCommand decode(byte[] bytes) {
    return ClusterCommandCodec.decode(bytes);
  }
}
