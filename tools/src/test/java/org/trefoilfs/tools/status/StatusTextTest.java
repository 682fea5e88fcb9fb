package org.trefoilfs.tools.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.host.MountReport;
import org.trefoilfs.replication.membership.AcceptedLoss;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.replication.membership.LostSpool;
import org.trefoilfs.replication.membership.SessionInfo;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;
import org.trefoilfs.replication.transport.Message.CatchUp;
import org.trefoilfs.replication.transport.Message.HostReport;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.admin.Messages.MountLine;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.library.VolumeUsage;

class StatusTextTest {
  private static final HostId H1 = new HostId(1);
  private static final HostId H2 = new HostId(2);
  private static final HostId H3 = new HostId(3);
  private static final int POOL = 3 << 16;
  private static final long GIB = 1L << 30;

  private final List<HostInfo> hosts = new ArrayList<>();
  private final List<PgView> groups = new ArrayList<>();
  private final List<AcceptedLoss> losses = new ArrayList<>();
  private final List<LostSpool> lost = new ArrayList<>();
  private final List<SessionInfo> sessions = new ArrayList<>();
  private final Map<Long, MountReport> mountReports = new java.util.HashMap<>();
  private Set<HostId> voters = Set.of(H1, H2, H3);
  private int minInSync = 2;
  private final Map<HostId, HostReport> reports = new java.util.HashMap<>();

  private void host(HostId id, boolean witness, HostState state, HostReport report) {
    String name = "host" + id.value();
    Address address = new Address("10.0.0." + id.value(), 7440);
    hosts.add(new HostInfo(id, name, address, address, witness, 1, name, 1, state));
    reports.put(id, report);
  }

  private static HostReport alive(CatchUp catchUp) {
    return new HostReport(true, 100 * GIB, 42 * GIB, catchUp);
  }

  private void group(int number, HostId primary, HostId... inSync) {
    List<PgView.Member> members = new ArrayList<>();
    for (HostId host : inSync) {
      members.add(new PgView.Member(host, 1));
    }
    groups.add(new PgView(POOL | number, 1, primary, members, List.of()));
  }

  private StatusReport build(Optional<HostId> leader, List<MountLine> mounts) {
    return StatusBuilder.build(
        new ClusterSnapshot(
            new ClusterSnapshot.Control("5d0f3c1e", leader, voters),
            hosts,
            List.of(
                new VolumeInfo(
                    1, "work", 3, minInSync, CommitMode.SYNC, SpoolLimits.DEFAULT, false),
                new VolumeInfo(2, "gone", 3, CommitMode.SYNC, true)),
            groups,
            reports,
            losses,
            lost,
            new ClusterSnapshot.Mounts(sessions, mountReports)),
        Map.of(1, new VolumeUsage(20_123, 1_300_000_000)),
        mounts);
  }

  @Test
  void whatAsynchronousCommitWouldLoseIsShown() {
    host(H1, false, HostState.UP, alive(CatchUp.NONE));
    sessions.add(new SessionInfo(7, 1, "node-1", "/mnt/work"));
    sessions.add(new SessionInfo(8, 1, "node-2", "/mnt/work"));
    SpoolWindow window =
        new SpoolWindow(3 << 20, 350_000_000L, 60 << 20, 1_900_000_000L, 12_500_000_000L);
    mountReports.put(7L, new MountReport(7, 400_000_000L, window, List.of()));
    mountReports.put(8L, new MountReport(8, 0, SpoolWindow.NONE, List.of()));
    lost.add(
        new LostSpool(
            new SessionInfo(0xabcL, 1, "node-3", "/mnt/old"),
            5,
            0,
            window,
            List.of(new SpooledRange(12, 4096, 8192))));
    StatusReport report = build(Optional.of(H1), List.of());
    assertThat(report.activity().rpo())
        .as("a mount of a sync volume that never was async is left out")
        .singleElement()
        .satisfies(
            one -> {
              assertThat(one.bytes()).isEqualTo(3 << 20);
              assertThat(one.seconds()).isEqualTo(0.35);
              assertThat(one.boundSeconds()).isEqualTo(2);
            });
    assertThat(StatusText.of(report))
        .contains(
            """
            ASYNC MOUNT       VOLUME  LOST IF IT DIED NOW  WORST           BOUND           SLOWED
            node-1:/mnt/work  work    0.35 s, 3.0 MiB      1.90 s, 60 MiB  2.00 s, 64 MiB  12.5 s
            """)
        .contains(
            "evicted mounts that had not shipped all they had acknowledged: 1, the last"
                + " node-3:/mnt/old at 1970-01-01T00:00:00Z; see: trefoil lost list");
    assertThat(report.activity().lost().getFirst().id()).isEqualTo("0000000000000abc");
  }

  @Test
  void healthyClusterIsAllInSync() {
    host(H1, false, HostState.UP, alive(CatchUp.NONE));
    host(H2, false, HostState.UP, alive(CatchUp.NONE));
    host(H3, false, HostState.UP, alive(CatchUp.NONE));
    group(0, H1, H1, H2, H3);
    group(1, H2, H2, H3, H1);
    StatusReport report =
        build(Optional.of(H1), List.of(new MountLine("/mnt/work", "work", "host1", "mounted", "")));
    assertThat(StatusText.of(report))
        .isEqualTo(
            """
            cluster 5d0f3c1e: all in sync

            HOST  NAME   ADDRESS        STATE  ROLE    FREE    DISK
            h1    host1  10.0.0.1:7440  up     leader  42 GiB  100 GiB
            h2    host2  10.0.0.2:7440  up     voter   42 GiB  100 GiB
            h3    host3  10.0.0.3:7440  up     voter   42 GiB  100 GiB

            VOLUME  REPLICAS  MIN IN-SYNC  COMMIT  FILES  SIZE
            work    3         2            sync    20123  1.2 GiB

            GROUPS  IN SYNC  DEGRADED  UNAVAILABLE
            2       2        0         0

            MOUNT      VOLUME  HOST   STATE
            /mnt/work  work    host1  mounted
            """);
    assertThat(report.cluster().inSync()).isTrue();
  }

  @Test
  void lossesAreCountedAndSaidInWords() {
    host(H1, false, HostState.UP, alive(CatchUp.NONE));
    host(H2, false, HostState.UP, alive(new CatchUp(7, 10, 120 << 20, 30 << 20)));
    host(H3, false, HostState.UP, new HostReport(false, 0, 0, CatchUp.NONE));
    group(0, H1, H1, H2, H3);
    group(1, H1, H1, H2);
    group(2, H1, H1);
    group(3, null, H1, H2, H3);
    StatusReport report =
        build(
            Optional.empty(),
            List.of(new MountLine("/mnt/work", "work", "host1", "waiting", "no majority yet")));
    assertThat(StatusText.of(report))
        .isEqualTo(
            """
            cluster 5d0f3c1e: not in sync

            HOST  NAME   ADDRESS        STATE  ROLE   FREE    DISK     CATCHING UP
            h1    host1  10.0.0.1:7440  up     voter  42 GiB  100 GiB  -
            h2    host2  10.0.0.2:7440  up     voter  42 GiB  100 GiB  7 groups, 120 MiB left, 30 MiB/s, ready in 4 s
            h3    host3  10.0.0.3:7440  down   voter  ?       ?        -

            VOLUME  REPLICAS  MIN IN-SYNC  COMMIT  FILES  SIZE
            work    3         2            sync    20123  1.2 GiB

            GROUPS  IN SYNC  DEGRADED  UNAVAILABLE
            4       1        1         2

            MOUNT      VOLUME  HOST   STATE
            /mnt/work  work    host1  waiting

            warning: no leader: a majority of the voters must be up before anything can be written
            warning: host host3 is down: start it again, and it catches up by itself
            warning: 2 placement groups are unavailable: writes to them wait until enough of their hosts are back
            warning: 1 placement groups have fewer replicas than they should
            warning: mount /mnt/work: no majority yet
            """);
  }

  @Test
  void twoHostsWithoutAWitnessAreWarnedOf() {
    voters = Set.of(H1);
    host(H1, false, HostState.UP, alive(CatchUp.NONE));
    host(H2, false, HostState.UP, alive(CatchUp.NONE));
    assertThat(build(Optional.of(H1), List.of()).warnings())
        .singleElement()
        .asString()
        .isEqualTo(
            "two hosts without a witness: they do not survive the loss of host1, without which"
                + " nothing can be written or looked up; start a third host, or one with"
                + " --witness");
    host(H3, true, HostState.UP, new HostReport(true, 0, 0, CatchUp.NONE));
    StatusReport report = build(Optional.of(H1), List.of());
    assertThat(report.warnings()).isEmpty();
    assertThat(report.hosts().getLast().role()).isEqualTo("witness");
  }

  @Test
  void aGroupServesNoWritesWithFewerInSyncThanItsVolumesWant() {
    host(H1, false, HostState.UP, alive(CatchUp.NONE));
    group(0, H1, H1);
    group(1, H1, H1, H2);
    assertThat(build(Optional.of(H1), List.of()).cluster().groups().unavailable()).isEqualTo(1);
    minInSync = 1;
    StatusReport careless = build(Optional.of(H1), List.of());
    assertThat(careless.cluster().groups().unavailable()).isZero();
    assertThat(careless.warnings())
        .anyMatch(warning -> warning.startsWith("volume work: min in-sync 1 of 3: while"));
    minInSync = 3;
    StatusReport careful = build(Optional.of(H1), List.of());
    assertThat(careful.cluster().groups().unavailable()).isEqualTo(2);
    assertThat(careful.warnings())
        .anyMatch(warning -> warning.startsWith("volume work: min in-sync 3 of 3: writes stop"));
  }

  @Test
  void closedGroupsNameTheHostThatTheyWaitForAndTheWayOut() {
    host(H1, false, HostState.UP, alive(CatchUp.NONE));
    host(H2, false, HostState.DOWN, new HostReport(false, 0, 0, CatchUp.NONE));
    group(0, null, H1, H2);
    assertThat(build(Optional.of(H1), List.of()).warnings())
        .contains(
            "placement groups are closed for want of host2: they open by themselves when it runs"
                + " again; if it is gone for good, see: trefoil recover");
  }

  @Test
  void acceptedLossesStayInSight() {
    host(H1, false, HostState.UP, alive(CatchUp.NONE));
    losses.add(
        new AcceptedLoss(
            0x1234,
            9,
            1_700_000_000_000L,
            "ann@node-1",
            List.of(new AcceptedLoss.MissingHost(H2, "host2")),
            List.of(new AcceptedLoss.OpenedGroup(POOL, H1))));
    StatusReport report = build(Optional.of(H1), List.of());
    assertThat(report.activity().acceptedLosses().getFirst().missing()).containsExactly("host2");
    assertThat(StatusText.of(report))
        .contains(
            "losses accepted: 1, the last at 2023-11-14T22:13:20Z by ann@node-1; see: trefoil"
                + " recover --history\n");
    assertThat(Json.read(Json.bytes(report), StatusReport.class)).isEqualTo(report);
  }

  @Test
  void nearlyFullDiskIsWarnedOf() {
    host(H1, false, HostState.UP, new HostReport(true, 100 * GIB, 4 * GIB, CatchUp.NONE));
    assertThat(build(Optional.of(H1), List.of()).warnings())
        .anyMatch(warning -> warning.startsWith("host host1: only 4.0 GiB of its disk are left"));
  }

  @Test
  void jsonIsReadBackAsWritten() {
    host(H1, false, HostState.UP, alive(new CatchUp(1, 0, 5, 0)));
    StatusReport report = build(Optional.of(H1), List.of());
    assertThat(report.activity().catchingUp().getFirst().etaSeconds()).isEqualTo(-1);
    assertThat(Json.read(Json.bytes(report), StatusReport.class)).isEqualTo(report);
  }
}
