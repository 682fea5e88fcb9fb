package org.trefoilfs.mount.namespace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.NamespaceFixture.SESSION;
import static org.trefoilfs.mount.namespace.NamespaceFixture.VOLUME;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.OperationId;

/** Whatever bytes come as commands or queries, the tree stays a tree. */
class MalformedCommandTest {
  private static final long SEED = 20_260_101;
  private final NamespaceFixture fs = new NamespaceFixture();
  private final Random random = new Random(SEED);

  @Test
  void everyCommandAndQueryIsReadAsItWasWritten() {
    for (byte[] command : commands()) {
      assertThat(Command.of(command).toBytes()).isEqualTo(command);
    }
    for (byte[] query : queries()) {
      assertThat(Query.of(query).toBytes()).isEqualTo(query);
    }
  }

  @Test
  void everyTruncationIsRefusedAndChangesNothing() {
    populate();
    String before = fs.dump();
    for (byte[] command : commands()) {
      for (int length = 0; length < command.length; length++) {
        byte[] cut = Arrays.copyOf(command, length);
        assertThat(reasonOf(fs.log.submit(NamespaceModule.ID, cut))).isEqualTo(Reason.INVALID);
      }
      byte[] longer = Arrays.copyOf(command, command.length + 1);
      assertThat(reasonOf(fs.log.submit(NamespaceModule.ID, longer))).isEqualTo(Reason.INVALID);
    }
    assertThat(fs.dump()).isEqualTo(before);
  }

  @Test
  void flippedBytesNeverBreakTheTree() {
    System.out.println("MalformedCommandTest seed " + SEED);
    populate();
    List<byte[]> queries = queries();
    int changes = 0;
    for (int round = 0; round < 6_000; round++) {
      // Each round has a session of its own: the reply cache would answer for the others.
      List<byte[]> commands = commands(1_000 + round);
      Reply reply = submit(flipped(commands.get(random.nextInt(commands.size()))));
      changes += reply instanceof Reply.Found || reply instanceof Reply.Done ? 1 : 0;
      ask(flipped(queries.get(random.nextInt(queries.size()))));
    }
    assertThat(changes).as("commands that were applied all the same").isGreaterThan(1_000);
    assertThat(new TreeAudit(fs.log.state(NamespaceModule.ID)).problems()).isEmpty();
  }

  @Test
  void operationsWithoutSessionOrWithImpossibleNumbersAreRefused() {
    Operation unlink = new Operation.Unlink(fs.at("a"));
    for (OperationId id : List.of(OperationId.NONE, new OperationId(SESSION, 0))) {
      Command command = new Command.Operate(VOLUME, id, 1, 0, unlink);
      assertThat(reasonOf(fs.log.submit(NamespaceModule.ID, command.toBytes())))
          .isEqualTo(Reason.INVALID);
    }
    Command ahead = new Command.Operate(VOLUME, new OperationId(SESSION, 5), 6, 0, unlink);
    assertThat(reasonOf(fs.log.submit(NamespaceModule.ID, ahead.toBytes())))
        .isEqualTo(Reason.INVALID);
  }

  private void populate() {
    fs.directory("d");
    fs.directory("d/e");
    fs.file("d/f");
    fs.file("a");
  }

  private Reply submit(byte[] command) {
    return settled(fs.log.submit(NamespaceModule.ID, command));
  }

  private void ask(byte[] query) {
    settled(fs.log.query(NamespaceModule.ID, query));
  }

  /** An answer or a regular refusal; anything else is a defect. */
  private static Reply settled(CompletableFuture<byte[]> future) {
    try {
      return Reply.of(future.join());
    } catch (CompletionException failed) {
      assertThat(failed).hasCauseInstanceOf(TrefoilException.class);
      assertThat(TrefoilException.of(failed).reason()).isEqualTo(Reason.INVALID);
      return new Reply.Failed(Reason.INVALID);
    }
  }

  private byte[] flipped(byte[] bytes) {
    byte[] copy = bytes.clone();
    int flips = random.nextInt(4);
    for (int i = 0; i < flips; i++) {
      int at = random.nextInt(copy.length);
      copy[at] = random.nextBoolean() ? (byte) random.nextInt() : (byte) (copy[at] ^ 1);
    }
    return copy;
  }

  private List<byte[]> commands() {
    return commands(SESSION);
  }

  private List<byte[]> commands(long session) {
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 1, 2, 3, new byte[0]);
    NewInode directory = new NewInode(FileType.DIRECTORY.bits() | 0755, 1, 2, 0, new byte[0]);
    NewInode symlink =
        new NewInode(FileType.SYMBOLIC_LINK.bits() | 0777, 1, 2, 0, "x".getBytes(UTF_8));
    AttributeChange change =
        new AttributeChange(
            OptionalInt.of(0600),
            OptionalInt.of(4),
            OptionalInt.of(5),
            OptionalLong.of(6),
            new AttributeChange.Times(OptionalLong.of(7), OptionalLong.of(8)));
    byte[] name = {'n'};
    LockRequest lock =
        new LockRequest(LockKind.POSIX, session, LockType.WRITE, new LockRange(3, 9), 5);
    List<Operation> operations =
        List.of(
            new Operation.Create(fs.at("d/g"), file),
            new Operation.Create(fs.at("d/h"), directory),
            new Operation.Create(fs.at("s"), symlink),
            new Operation.Link(fs.at("a"), fs.at("d/l")),
            new Operation.Unlink(fs.at("d/l")),
            new Operation.Rmdir(fs.at("d/h")),
            new Operation.Rename(fs.at("d/e"), fs.at("e"), Names.RenameMode.REPLACE),
            new Operation.Rename(fs.at("e"), fs.at("d/g"), Names.RenameMode.EXCHANGE),
            new Operation.SetAttributes(fs.at("a"), change),
            new Operation.Wrote(fs.root + 1, 8, 9, 10, Names.Privileges.CLEAR_SET_ID),
            new Operation.SetXattr(fs.at("a"), name, name, Names.XattrMode.CREATE_OR_REPLACE),
            new Operation.RemoveXattr(fs.at("a"), name),
            new Operation.CreateToWrite(fs.at("d/w"), file),
            new Operation.BeginWriting(fs.root + 1),
            new Operation.EndWriting(List.of(fs.root + 1)),
            new Operation.Pin(List.of(fs.root, fs.root + 3)),
            new Operation.Unpin(List.of(fs.root)),
            new Operation.Lock(fs.root + 4, lock, 0),
            new Operation.Lock(fs.root + 4, lock, session),
            new Operation.OvertakeLock(fs.root + 4, session, 1),
            new Operation.WithdrawLock(fs.root + 4, session),
            new Operation.Unlock(fs.root + 4, LockKind.POSIX, session, LockRange.WHOLE),
            new Operation.TakeOver(91),
            new Operation.Requested(5, new Operation.Rmdir(fs.at("d/h"))));
    List<byte[]> commands = new ArrayList<>();
    long sequence = 1_000;
    for (Operation operation : operations) {
      OperationId id = new OperationId(session, sequence++);
      commands.add(new Command.Operate(VOLUME, id, 1_000, 50, operation).toBytes());
    }
    commands.add(new Command.EnsureRoot(VOLUME, 88, 5).toBytes());
    commands.add(new Command.Reclaim(List.of(1L, 2L)).toBytes());
    commands.add(new Command.DropPins(89).toBytes());
    commands.add(new Command.ReapVolume(90, 10).toBytes());
    return commands;
  }

  private List<byte[]> queries() {
    byte[] name = {'n'};
    return List.of(
        new Query.Lookup(VOLUME, fs.at("d/f")).toBytes(),
        new Query.ReadLink(VOLUME, fs.at("s")).toBytes(),
        new Query.ListEntries(VOLUME, fs.root, name, 10).toBytes(),
        new Query.GetXattr(VOLUME, fs.at("a"), name).toBytes(),
        new Query.ListXattrs(VOLUME, fs.at("a")).toBytes(),
        new Query.GetUsage(VOLUME).toBytes(),
        new Query.OrphansAfter(VOLUME, 0).toBytes(),
        new Query.Reclaimable(0, 100, 10).toBytes(),
        new Query.TestLock(
                VOLUME,
                SESSION,
                fs.root + 4,
                new LockRequest(LockKind.FLOCK, 1, LockType.READ, LockRange.WHOLE, 2))
            .toBytes(),
        new Query.LockWaits(SESSION, 0).toBytes());
  }
}
