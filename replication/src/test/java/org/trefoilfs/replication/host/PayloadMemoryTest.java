package org.trefoilfs.replication.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkStore;
import org.trefoilfs.replication.chunk.FileChunkStore;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.commit.Entry;
import org.trefoilfs.replication.env.SystemRandom;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.journal.JournalOptions;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.transport.Intake;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.Lane;

/** Who waits for what, before a host takes the data of a write. */
final class PayloadMemoryTest {
  private static final int PG = 3 << 16;
  private static final long MIB = 1 << 20;

  /** Half of it for the backlog, a quarter for what is uncommitted, a quarter for images. */
  private static final PayloadLimits LIMITS = new PayloadLimits(64 * MIB);

  @TempDir Path directory;
  private final HeldJournal journal = new HeldJournal();
  private final AtomicLong now = new AtomicLong();
  private final TimeSource clock =
      new TimeSource() {
        @Override
        public long nanoTime() {
          return now.get();
        }

        @Override
        public long wallNanos() {
          return now.get();
        }
      };
  private ChunkStore store;
  private Applier applier;
  private PayloadMemory memory;
  private int committed;

  @BeforeEach
  void open() {
    store = FileChunkStore.open(directory);
    applier =
        new Applier(
            journal,
            store,
            new NoGroups(pg -> journal.append(new JournalRecord.Committed(pg, 1, committed))),
            (_, _, _) -> {},
            _ -> {});
    DiskRoom disk =
        new DiskRoom(
            store, journal, JournalOptions.standard(SystemRandom.INSTANCE), applier, LIMITS);
    memory = new PayloadMemory(LIMITS, disk, clock);
  }

  @AfterEach
  void close() {
    journal.stable(Long.MAX_VALUE);
    applier.close();
    store.close();
  }

  /** Committed entries of 1 MiB; the journal that is not stable keeps them from being applied. */
  private void commit(int count) {
    for (int i = 0; i < count; i++) {
      committed++;
      Mutation mutation =
          new Mutation.Write(new ChunkId(committed, 0), 0, ByteBuffer.allocate((int) MIB));
      OperationId operation = new OperationId(7, committed);
      long position =
          journal.append(
              new JournalRecord.Prepared(PG, 1, committed, committed - 1, operation, mutation));
      applier.committed(new Entry(PG, new Version(1, committed), operation, mutation, position));
    }
  }

  @Test
  void writesWaitForThoseBeforeThemInOrder() {
    List<Intake.Ticket> taken = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      taken.add(memory.ask(Lane.WRITE, MIB));
    }
    assertThat(taken).allMatch(ticket -> ticket.taken().isDone());
    assertThat(memory.held()).isEqualTo(16 * MIB);
    Intake.Ticket large = memory.ask(Lane.WRITE, 2 * MIB);
    Intake.Ticket small = memory.ask(Lane.WRITE, 1);
    taken.removeLast().release();
    assertThat(large.taken()).isNotDone();
    assertThat(small.taken()).as("it would overtake").isNotDone();
    taken.removeLast().release();
    assertThat(large.taken()).isCompleted();
    large.release();
    large.release(); // counted once
    assertThat(small.taken()).isCompleted();
    assertThat(memory.held()).isEqualTo(14 * MIB + 1);
  }

  @Test
  void aLargeWriteIsTakenAloneAndOneThatIsTooLargeRefused() {
    assertThat(memory.ask(Lane.WRITE, 16 * MIB).taken()).isCompleted();
    assertThatThrownBy(() -> memory.ask(Lane.WRITE, 16 * MIB + 1))
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TOO_LARGE))
        .hasMessageContaining("16777217 bytes")
        .hasMessageContaining("write in parts");
    assertThatThrownBy(() -> PayloadLimits.of(Optional.of(1L)))
        .hasMessageContaining("allow 33554432 or more");
  }

  @Test
  void preparesWaitForTheDiskAndNotForWriters() {
    List<Intake.Ticket> writers = new ArrayList<>();
    for (int i = 0; i < 17; i++) {
      writers.add(memory.ask(Lane.WRITE, MIB));
    }
    assertThat(writers.getLast().taken()).isNotDone();
    for (int i = 0; i < 40; i++) { // more than what writers get, and their parts elsewhere as well
      assertThat(memory.ask(Lane.COMMIT, MIB).taken()).isCompleted();
    }
    commit(32);
    Intake.Ticket prepare = memory.ask(Lane.COMMIT, MIB);
    assertThat(prepare.taken()).isNotDone();
    now.addAndGet(Duration.ofMinutes(1).toNanos());
    memory.tick();
    assertThat(prepare.taken()).as("the bound holds however long it takes").isNotDone();
    assertThat(memory.ask(Lane.CONTROL, MIB).taken()).isCompleted();
    assertThat(memory.ask(Lane.DATA, MIB).taken()).isCompleted();
    journal.stable(Long.MAX_VALUE);
    await()
        .atMost(10, TimeUnit.SECONDS)
        .until(
            () -> {
              memory.tick();
              return prepare.taken().isDone();
            });
    writers.getFirst().release();
    assertThat(writers.getLast().taken()).isCompleted();
  }

  /** Who keeps it full may wait for a PREPARE elsewhere, and that one for this host. */
  @Test
  void preparesDoNotWaitLongForAFullJournal() {
    journal.unreleased = 1L << 40;
    Intake.Ticket prepare = memory.ask(Lane.COMMIT, MIB);
    Intake.Ticket write = memory.ask(Lane.WRITE, MIB);
    memory.tick();
    assertThat(prepare.taken()).isNotDone();
    now.addAndGet(Duration.ofMillis(500).toNanos());
    memory.tick();
    assertThat(prepare.taken()).isCompleted();
    assertThat(write.taken()).isNotDone();
    journal.unreleased = 0;
    memory.tick();
    assertThat(write.taken()).isCompleted();
  }

  @Test
  void whoGaveUpWaitingTakesNoRoom() {
    memory.ask(Lane.WRITE, 16 * MIB);
    Intake.Ticket goneAway = memory.ask(Lane.WRITE, MIB);
    Intake.Ticket timedOut = memory.ask(Lane.WRITE, MIB);
    goneAway.release();
    timedOut.taken().completeExceptionally(new TrefoilException(Reason.BUSY, "late"));
    memory.tick();
    assertThat(memory.held()).isEqualTo(16 * MIB);
  }

  @Test
  void aRequestOfThisProcessThatFindsNoRoomIsBusyAndLeavesNothing() throws Exception {
    Intake.Ticket all = memory.ask(Lane.WRITE, 16 * MIB);
    AtomicInteger handled = new AtomicInteger();
    OwnRequests own =
        new OwnRequests(
            memory,
            (_, reply) -> {
              handled.incrementAndGet();
              reply.send(new Message.Done());
            },
            Duration.ofMillis(50));
    CompletableFuture<Message> refused = new CompletableFuture<>();
    own.handle(write(), refused::complete);
    assertThat(refused.get(10, TimeUnit.SECONDS))
        .isInstanceOfSatisfying(
            Message.Failed.class, failed -> assertThat(failed.reason()).isEqualTo(Reason.BUSY));
    assertThat(handled).hasValue(0);
    all.release();
    CompletableFuture<Message> taken = new CompletableFuture<>();
    own.handle(write(), taken::complete);
    assertThat(taken.get(10, TimeUnit.SECONDS)).isEqualTo(new Message.Done());
    assertThat(memory.held()).isZero();
  }

  private static Message write() {
    return new Message.Write(
        PG,
        1,
        0,
        0,
        new OperationId(8, 1),
        new Mutation.Write(new ChunkId(1, 0), 0, ByteBuffer.allocate((int) MIB)));
  }
}
