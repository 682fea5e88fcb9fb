package org.trefoilfs.replication.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.membership.TestCluster.id;
import static org.trefoilfs.replication.membership.TestCluster.member;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;

class ClusterCommandTest {
  private static final Address ADDRESS = new Address("10.0.0.1", 7440);
  private static final PgView VIEW =
      new PgView(3 << 16 | 7, 4, id(1), List.of(member(1, 9), member(2, 8)), List.of(id(3)));
  private static final PgView CLOSED =
      new PgView(1 << 16, 9, null, List.of(member(1, 9)), List.of());

  private static final List<ClusterCommand> ALL =
      List.of(
          new ClusterCommand.CreateCluster("c", 12, Duration.ofMillis(1500)),
          new ClusterCommand.RegisterHost("n", ADDRESS, ADDRESS, true, 3, "rack"),
          new ClusterCommand.HostStarted(id(1), 5, ADDRESS, ADDRESS, Set.of(member(2, 1))),
          new ClusterCommand.HostsLost(77, List.of(member(1, 5), member(2, 6))),
          new ClusterCommand.ChangeViews(
              List.of(new ClusterCommand.Change(3, VIEW), new ClusterCommand.Change(8, CLOSED))),
          new ClusterCommand.ReopenGroups(
              List.of(
                  new ClusterCommand.Reopen(
                      9,
                      2,
                      List.of(member(1, 2), member(3, 1)),
                      List.of(id(2)),
                      Optional.of(new Version(1, 8))))),
          new ClusterCommand.ForceReopen(
              List.of(
                  new ClusterCommand.Reopen(
                      9, 2, List.of(member(1, 2)), List.of(), Optional.empty())),
              new ClusterCommand.Choice(-7, 1_700_000_000_000L, "ann@node-1", List.of(id(2)))),
          new ClusterCommand.CreatePool(3, List.of(VIEW)),
          new ClusterCommand.CreateVolume(
              "v", 3, 2, CommitMode.ASYNC, new SpoolLimits(Duration.ofSeconds(5), 8 << 20)),
          new ClusterCommand.SetVolume("v", 1, CommitMode.SYNC, SpoolLimits.DEFAULT),
          new ClusterCommand.EvictSession(
              9, 10, new SpoolWindow(1, 2, 3, 4, 5), List.of(new SpooledRange(6, 7, 8))),
          new ClusterCommand.DeleteVolume("v"),
          new ClusterCommand.VolumeGone(4),
          new ClusterCommand.RemoveHost(id(4)),
          new ClusterCommand.SetHostState(id(4), HostState.LEAVING),
          new ClusterCommand.OpenSession(-5, 2, "vm", "/mnt"),
          new ClusterCommand.CloseSession(-5));

  @Test
  void everyKindOfCommandComesBackAsItWasEncoded() {
    Set<Class<?>> kinds = new HashSet<>();
    for (ClusterCommand command : ALL) {
      assertThat(ClusterCommand.decode(command.encode())).isEqualTo(command);
      kinds.add(command.getClass());
    }
    long sealed =
        Arrays.stream(ClusterCommand.class.getPermittedSubclasses())
            .filter(ClusterCommand.class::isAssignableFrom)
            .count();
    assertThat(kinds).hasSize((int) sealed);
  }

  @Test
  void malformedBytesAreInvalidWhateverTheyAre() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = ALL.get(random.nextInt(ALL.size())).encode();
      for (int flips = random.nextInt(4); flips >= 0; flips--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      byte[] torn = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      try {
        ClusterCommand.decode(torn);
      } catch (TrefoilException e) {
        assertThat(e.reason()).isEqualTo(Reason.INVALID);
      }
    }
  }
}
