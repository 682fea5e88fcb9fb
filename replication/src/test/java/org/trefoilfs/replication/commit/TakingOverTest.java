package org.trefoilfs.replication.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * A backup becomes primary. Host 1 was primary in view 1, host 2 is looked at, host 3 was a backup
 * beside it, host 4 joins. What lies in the log of host 2 may have been acknowledged.
 */
final class TakingOverTest {
  private static final int PG = 1;
  private static final HostId DEAD = new HostId(1);
  private static final HostId SELF = new HostId(2);
  private static final HostId OTHER = new HostId(3);
  private static final HostId JOINER = new HostId(4);
  private static final Duration LEASE = Duration.ofSeconds(1);

  private final RecordingPorts world = new RecordingPorts();
  private final Group group =
      new Group(
          SELF, 1, new GroupLog(PG), new Group.GroupSettings(LEASE, Duration.ofSeconds(3)), world);

  private void preparedInViewOne() {
    group.view(view(1, DEAD, List.of(DEAD, SELF, OTHER), List.of()), false);
    group.newView(new Message.NewView(PG, 1, 0, 0, 1));
    Mutation mutation = new Mutation.Write(new ChunkId(9, 0), 0, ByteBuffer.allocate(8));
    group.prepare(new Message.Prepare(PG, 1, 1, 0, new OperationId(7, 1), mutation));
  }

  private void joinerHasCaughtUp(long view, long stable) {
    group.caughtUp(new Message.CaughtUp(PG, view, JOINER, 1, 1, stable));
  }

  @Test
  void joinerIsPromotedOnlyWhenItHoldsWhatWasTakenOver() {
    preparedInViewOne();
    group.view(view(2, SELF, List.of(SELF, OTHER), List.of(JOINER)), false);
    group.prepared(JOINER, new Message.Prepared(PG, 2, 0));
    joinerHasCaughtUp(2, 1);
    assertThat(world.proposed).isEmpty();
    group.prepared(JOINER, new Message.Prepared(PG, 2, 1));
    assertThat(world.proposed).hasSize(1);
  }

  @Test
  void joinerThatMayHaveBegunAnewIsNotPromotedForWhatItHadCaughtUpBefore() {
    preparedInViewOne();
    group.view(view(2, SELF, List.of(SELF, OTHER), List.of(JOINER)), false);
    group.unreachable(JOINER, 2, new TrefoilException(Reason.OUTCOME_UNKNOWN, "no answer"));
    world.now = Duration.ofMillis(500).toNanos();
    group.tick();
    assertThat(world.sent.getLast()).isInstanceOf(Message.Prepare.class);
    assertThatThrownBy(() -> joinerHasCaughtUp(2, 1)).hasMessageContaining("catch up");
    group.prepared(JOINER, new Message.Prepared(PG, 2, 1));
    assertThat(group.promoting()).isEmpty();
    assertThat(world.proposed).isEmpty();
  }

  /** Its late answer to what was sent before says nothing of what it has missed. */
  @Test
  void memberToWhichNothingIsSentIsSentToAgainWhateverItStillAnswers() {
    group.view(view(1, SELF, List.of(SELF, OTHER), List.of(JOINER)), false);
    group.unreachable(JOINER, 1, new TrefoilException(Reason.UNAVAILABLE, "too slow"));
    group.prepared(JOINER, new Message.Prepared(PG, 1, 0));
    assertThat(group.isWaiting()).isTrue();
    world.now = Duration.ofMillis(500).toNanos();
    group.tick();
    assertThat(world.sent.getLast()).isEqualTo(new Message.NewView(PG, 1, 0, 0, 2));
    group.prepared(JOINER, new Message.Prepared(PG, 1, 0));
    assertThat(group.isWaiting()).isFalse();
  }

  @Test
  void joinerIsPromotedOnlyWhenItsJournalIsStableWhereFlushesPassedItBy() {
    preparedInViewOne();
    group.view(view(2, SELF, List.of(SELF, OTHER), List.of(JOINER)), false);
    group.prepared(JOINER, new Message.Prepared(PG, 2, 1));
    assertThat(group.promoting()).as("a flush does not reach it yet").isEmpty();
    joinerHasCaughtUp(2, 0);
    assertThat(group.promoting()).containsExactly(JOINER);
    assertThat(world.proposed).isEmpty();
    joinerHasCaughtUp(2, 1);
    assertThat(world.proposed).hasSize(1);
  }

  /** Seed 630000024063 of the simulator: an fsync after a loss of power failed for nothing. */
  @Test
  void memberThatKnewAsCommittedWhatAPrimaryPreparesAgainHoldsItInThatViewToo() {
    preparedInViewOne();
    group.committed(1, 1);
    group.view(view(2, OTHER, List.of(OTHER, SELF), List.of()), false);
    group.newView(new Message.NewView(PG, 2, 0, 1, 1));
    assertThat(group.log().last()).isEqualTo(new Version(2, 1));
    assertThat(group.log().commitIndex()).isEqualTo(1);
  }

  /** Or it alone would have the last write after a stop of all, and the others be joiners. */
  @Test
  void memberOfAViewInWhichNothingIsPreparedAgainHoldsNothingOfIt() {
    preparedInViewOne();
    group.committed(1, 1);
    group.view(view(2, OTHER, List.of(OTHER, SELF), List.of()), false);
    group.newView(new Message.NewView(PG, 2, 1, 1, 1));
    assertThat(group.log().last()).isEqualTo(new Version(1, 1));
  }

  @Test
  void memberPutOutInAnEarlierViewHoldsCommitsUpAfterTheNextView() {
    preparedInViewOne();
    group.view(view(2, SELF, List.of(SELF), List.of()), true);
    group.view(view(3, SELF, List.of(SELF), List.of(JOINER)), false);
    world.now = LEASE.toNanos() - 1;
    group.tick();
    assertThat(world.committed).isEmpty();
    world.now = LEASE.toNanos();
    group.tick();
    assertThat(world.committed).hasSize(1);
  }

  @Test
  void fullDiskPutsTakingOverOffUntilThereIsRoom() {
    preparedInViewOne();
    world.full = true;
    group.view(view(2, SELF, List.of(SELF, OTHER), List.of()), false);
    assertThat(world.sent).isEmpty();
    assertThat(group.isWaiting()).isTrue();
    world.full = false;
    group.tick();
    assertThat(world.sent)
        .extracting(Message::getClass)
        .containsExactly(Message.NewView.class, Message.Prepare.class);
    group.prepared(OTHER, new Message.Prepared(PG, 2, 1));
    assertThat(world.committed).hasSize(1);
  }

  private static PgView view(
      long number, HostId primary, List<HostId> members, List<HostId> joining) {
    List<PgView.Member> inSync =
        members.stream().map(member -> new PgView.Member(member, 1)).toList();
    return new PgView(PG, number, primary, inSync, joining);
  }
}
