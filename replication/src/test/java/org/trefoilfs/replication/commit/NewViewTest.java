package org.trefoilfs.replication.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.transport.Message;

/**
 * What a backup keeps while a new primary takes over. Host 1 was primary in view 1 and may have
 * acknowledged whatever hosts 2 and 3 had prepared; it is dead. Host 3 is the backup looked at.
 */
final class NewViewTest {
  private static final int PG = 1;
  private static final HostId DEAD = new HostId(1);
  private static final HostId PRIMARY = new HostId(2);
  private static final HostId SELF = new HostId(3);
  private static final ChunkId CHUNK = new ChunkId(9, 0);

  private final RecordingPorts world = new RecordingPorts();
  private final Group group =
      new Group(
          SELF,
          1,
          new GroupLog(PG),
          new Group.GroupSettings(Duration.ofSeconds(1), Duration.ofSeconds(3)),
          world);

  private void preparedInViewOne(int count) {
    group.view(view(1, DEAD, DEAD, PRIMARY, SELF), false);
    group.newView(new Message.NewView(PG, 1, 0, 0, 1));
    for (int n = 1; n <= count; n++) {
      group.prepare(prepare(1, n, 0));
    }
    group.view(view(2, PRIMARY, PRIMARY, SELF), false);
  }

  @Test
  void writesThatMayHaveBeenAcknowledgedStayWhenTheNewPrimaryDiesBeforeItSendsThem() {
    preparedInViewOne(3);
    group.newView(new Message.NewView(PG, 2, 0, 3, 1));
    group.prepare(prepare(2, 1, 0));
    group.view(view(3, SELF, SELF), false);
    assertThat(world.committed).extracting(Entry::n).containsExactly(1L, 2L, 3L);
  }

  @Test
  void chunkIsNotReadHereBeforeItsPreparedWriteIsKnownToBeCommitted() {
    preparedInViewOne(1);
    group.newView(new Message.NewView(PG, 2, 0, 1, 1));
    assertThat(group.readable(CHUNK)).isEqualTo(Group.Readable.ASK_PRIMARY);
    group.prepare(prepare(2, 1, 0));
    group.committed(2, 1);
    assertThat(group.readable(CHUNK)).isEqualTo(Group.Readable.YES);
  }

  @Test
  void onlyWhatTheNewPrimarySentIsAcknowledgedToIt() {
    preparedInViewOne(3);
    assertThat(group.newView(new Message.NewView(PG, 2, 0, 3, 1)))
        .isEqualTo(new Message.Prepared(PG, 2, 0));
    assertThat(group.prepare(prepare(2, 1, 0))).isEqualTo(new Message.Prepared(PG, 2, 1));
    assertThatThrownBy(() -> group.prepare(prepare(2, 3, 0))).isInstanceOf(TrefoilException.class);
    assertThat(group.prepare(prepare(2, 2, 0))).isEqualTo(new Message.Prepared(PG, 2, 2));
  }

  @Test
  void whatTheNewPrimaryDoesNotHaveIsDropped() {
    preparedInViewOne(3);
    group.newView(new Message.NewView(PG, 2, 0, 1, 1));
    assertThat(group.log().lastN()).isEqualTo(1);
    group.prepare(prepare(2, 1, 0));
    group.prepare(prepare(2, 2, 1));
    assertThat(group.log().last()).isEqualTo(new Version(2, 2));
    assertThat(world.replayed(PG).last()).isEqualTo(new Version(2, 2));
  }

  @Test
  void replayFindsTheSameLogAsTheMixOfTwoViewsThatWasInMemory() {
    preparedInViewOne(4);
    group.newView(new Message.NewView(PG, 2, 0, 4, 1));
    group.prepare(prepare(2, 1, 0));
    group.prepare(prepare(2, 2, 0));
    assertThat(world.replayed(PG).suffix())
        .extracting(Entry::version)
        .containsExactlyElementsOf(group.log().suffix().stream().map(Entry::version).toList());
  }

  private static PgView view(long number, HostId primary, HostId... members) {
    List<PgView.Member> inSync = new ArrayList<>();
    for (HostId member : members) {
      inSync.add(new PgView.Member(member, 1));
    }
    return new PgView(PG, number, primary, inSync, List.of());
  }

  private static Message.Prepare prepare(long view, long n, long commitIndex) {
    Mutation mutation =
        new Mutation.Write(CHUNK, (int) n * 8, ByteBuffer.allocate(8).putLong(0, n));
    return new Message.Prepare(PG, view, n, commitIndex, new OperationId(7, n), mutation);
  }
}
