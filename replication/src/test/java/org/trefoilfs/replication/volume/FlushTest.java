package org.trefoilfs.replication.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.placement.Reopened;
import org.trefoilfs.replication.transport.Message;

/** What is flushed when several callers write and flush the same inode. */
final class FlushTest {
  private static final long INODE = 5;

  private final OneHost host = new OneHost();
  private final Volume volume = new ReplicatedVolume(1, host, () -> 0);

  @Test
  void writeUnderWayWhenAnotherCallersFlushBeganIsFlushedByTheNextOne() {
    CompletableFuture<Void> write = volume.write(INODE, 0, ByteBuffer.allocate(8));
    assertThat(volume.flush(INODE)).isCompleted();
    host.answerAll();
    assertThat(write).isCompleted();
    CompletableFuture<Void> flush = volume.flush(INODE);
    assertThat(flush).isNotDone();
    assertThat(host.asked()).hasOnlyElementsOfType(Message.Flush.class).hasSize(1);
    host.answerAll();
    assertThat(flush).isCompleted();
  }

  @Test
  void flushIsNotOverBeforeAnotherCallersFlushOfTheSameWrites() {
    write();
    CompletableFuture<Void> first = volume.flush(INODE);
    CompletableFuture<Void> second = volume.flush(INODE);
    assertThat(second).isNotDone();
    host.answerAll();
    assertThat(first).isCompleted();
    assertThat(second).isCompleted();
  }

  @Test
  void flushAfterAFailedOneOfTheSameWritesFlushesThem() {
    write();
    CompletableFuture<Void> first = volume.flush(INODE);
    host.failAll(new TrefoilException(Reason.IO, "a disk has failed"));
    assertThat(first).isCompletedExceptionally();
    CompletableFuture<Void> second = volume.flush(INODE);
    assertThat(host.asked()).hasOnlyElementsOfType(Message.Flush.class).hasSize(1);
    host.answerAll();
    assertThat(second).isCompleted();
  }

  @Test
  void whatWasLostWithAllReplicasFailsTheNextFlushOnce() {
    writeAs(new Message.Written(2, 7));
    host.reopened = new Reopened(4, new Version(2, 6), 0);
    assertFlushFails(INODE);
    assertThat(volume.flush(INODE)).isCompleted();
  }

  @Test
  void eachFileWithLostWritesIsTold() {
    writeAs(new Message.Written(2, 7));
    CompletableFuture<Void> other = volume.write(INODE + 1, 0, ByteBuffer.allocate(8));
    host.answerAll(new Message.Written(2, 7));
    assertThat(other).isCompleted();
    host.reopened = new Reopened(4, new Version(2, 6), 0);
    assertFlushFails(INODE);
    assertFlushFails(INODE + 1);
  }

  @Test
  void whatWasFoundAgainAfterAllReplicasStoppedIsFlushed() {
    writeAs(new Message.Written(2, 7));
    host.reopened = new Reopened(4, new Version(2, 7), 0);
    assertFlushes();
  }

  @Test
  void whatIsWrittenAgainUnderANumberThatWasLostIsFlushedAndWhatWasThereBeforeIsNot() {
    writeAs(new Message.Written(2, 7));
    host.reopened = new Reopened(4, new Version(2, 6), 0);
    writeAs(new Message.Written(4, 7));
    assertFlushFails(INODE);
    writeAs(new Message.Written(4, 8));
    assertFlushes();
  }

  @Test
  void writeOfAnEarlierViewIsLostThoughAnotherHasItsNumber() {
    writeAs(new Message.Written(3, 7));
    // A member whose journal had lost even that the writes of view 2 were void.
    host.reopened = new Reopened(5, new Version(2, 9), 0);
    assertFlushFails(INODE);
  }

  @Test
  void writeBeforeTwoLossesCountsAsLost() {
    writeAs(new Message.Written(2, 7));
    host.reopened = new Reopened(6, new Version(5, 9), 4);
    assertFlushFails(INODE);
  }

  @Test
  void flushedWriteIsNotMissedLater() {
    writeAs(new Message.Written(2, 7));
    assertFlushes();
    host.reopened = new Reopened(4, new Version(2, 7), 0);
    assertThat(volume.flush(INODE)).isCompleted();
    writeAs(new Message.Written(4, 8));
    assertFlushes();
  }

  private void writeAs(Message.Written version) {
    CompletableFuture<Void> write = volume.write(INODE, 0, ByteBuffer.allocate(8));
    host.answerAll(version);
    assertThat(write).isCompleted();
  }

  private void assertFlushes() {
    CompletableFuture<Void> flush = volume.flush(INODE);
    assertThat(host.asked()).hasOnlyElementsOfType(Message.Flush.class).hasSize(1);
    host.answerAll();
    assertThat(flush).isCompleted();
  }

  /** Only when the rest of the file is stable. */
  private void assertFlushFails(long inode) {
    CompletableFuture<Void> flush = volume.flush(inode);
    assertThat(flush).isNotDone();
    host.answerAll();
    assertThat(flush)
        .isCompletedExceptionally()
        .withFailMessage("the loss is told")
        .failsWithin(Duration.ZERO)
        .withThrowableThat()
        .havingRootCause()
        .isInstanceOf(TrefoilException.class)
        .withMessageContaining("not synced may be gone")
        .satisfies(why -> assertThat(((TrefoilException) why).reason()).isEqualTo(Reason.IO));
  }

  private void write() {
    CompletableFuture<Void> write = volume.write(INODE, 0, ByteBuffer.allocate(8));
    host.answerAll();
    assertThat(write).isCompleted();
  }
}
