package org.trefoilfs.mount.namespace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.trefoilfs.mount.namespace.NamespaceFixture.SESSION;
import static org.trefoilfs.mount.namespace.NamespaceFixture.VOLUME;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.statelog.StateLog;

/** Each operation takes effect once, however often it is submitted. */
class RetryTest {
  private static final byte[] USER_X = "user.x".getBytes(UTF_8);
  private final NamespaceFixture fs = new NamespaceFixture();
  private long sequence = 1_000;

  @Test
  void retryOfEveryOperationGetsTheFirstReplyAndChangesNothing() {
    fs.directory("d");
    long file = fs.file("f").inode();
    NewInode wanted = new NewInode(FileType.REGULAR.bits() | 0644, 1, 2, 0, new byte[0]);
    List<Operation> operations =
        List.of(
            new Operation.Create(fs.at("new"), wanted),
            new Operation.Create(fs.at("new"), wanted),
            new Operation.Link(fs.at("f"), fs.at("g")),
            new Operation.Unlink(fs.at("g")),
            new Operation.Unlink(fs.at("absent")),
            new Operation.Rmdir(fs.at("d")),
            new Operation.Rename(fs.at("f"), fs.at("h"), Names.RenameMode.REPLACE),
            new Operation.Rename(fs.at("h"), fs.at("new"), Names.RenameMode.EXCHANGE),
            new Operation.SetAttributes(fs.at("h"), AttributeChange.size(7)),
            new Operation.Wrote(file, 50, 100, 5, Names.Privileges.CLEAR_SET_ID),
            new Operation.SetXattr(fs.at("h"), USER_X, new byte[3], Names.XattrMode.CREATE),
            new Operation.RemoveXattr(fs.at("h"), USER_X),
            new Operation.CreateToWrite(fs.at("written"), wanted),
            new Operation.CreateToWrite(fs.at("written"), wanted),
            new Operation.BeginWriting(file),
            new Operation.EndWriting(List.of(file)),
            new Operation.Pin(List.of(file)),
            new Operation.Unpin(List.of(file)));
    List<byte[]> commands = new ArrayList<>();
    List<byte[]> replies = new ArrayList<>();
    for (Operation operation : operations) {
      byte[] command = command(sequence++, 1_000, operation).toBytes();
      commands.add(command);
      replies.add(submit(command));
    }
    String after = fs.dump();
    fs.now += 1_000;
    for (int i = 0; i < commands.size(); i++) {
      assertThat(submit(commands.get(i))).as("%s", operations.get(i)).isEqualTo(replies.get(i));
    }
    assertThat(fs.dump()).isEqualTo(after);
  }

  @Test
  void cachedErrorIsRepeatedThoughItsCauseIsGone() {
    Command unlink = command(1_000, 1_000, new Operation.Unlink(fs.at("f")));
    assertThat(fs.submit(unlink)).isEqualTo(new Reply.Failed(Reason.NOT_FOUND));
    fs.submit(command(1_001, 1_000, create("f")));
    assertThat(fs.submit(unlink)).isEqualTo(new Reply.Failed(Reason.NOT_FOUND));
    assertThat(fs.lookup("f").nlink()).isEqualTo(1);
  }

  @Test
  void repliesBelowTheOldestPendingAreForgottenAndTheirOperationsRefused() {
    int rows = fs.log.state(NamespaceModule.ID).size();
    Command first = command(1, 1, create("a"));
    fs.submit(first);
    fs.submit(command(2, 2, new Operation.Unlink(fs.at("a"))));
    for (long i = 3; i < 300; i++) {
      fs.submit(command(i, i, new Operation.Unlink(fs.at("a"))));
    }
    assertThat(fs.log.state(NamespaceModule.ID).size()).isLessThan(rows + 6);
    assertThat(fs.submit(first)).as("a late duplicate").isEqualTo(new Reply.Failed(Reason.STALE));
    assertThat(reasonOf(fs.names.lookup(fs.at("a")))).isEqualTo(Reason.NOT_FOUND);
  }

  @Test
  void longSkipForgetsEveryReplyToo() {
    for (long i = 1; i < 200; i++) {
      fs.submit(command(i, 1, new Operation.Unlink(fs.at("a"))));
    }
    int rows = fs.log.state(NamespaceModule.ID).size();
    fs.submit(command(500, 500, new Operation.Unlink(fs.at("a"))));
    assertThat(fs.log.state(NamespaceModule.ID).size()).isEqualTo(rows - 199 + 1);
  }

  @Test
  void operationsMayOvertakeEachOther() {
    fs.submit(command(12, 10, create("c")));
    fs.submit(command(10, 10, create("a")));
    fs.submit(command(11, 10, create("b")));
    assertThat(fs.list(fs.root)).containsExactly("a", "b", "c");
  }

  @Test
  void replyCacheIsBounded() {
    Reply far = fs.submit(command(Limits.OPERATION_WINDOW + 1, 1, create("a")));
    assertThat(far).isEqualTo(new Reply.Failed(Reason.BUSY));
    assertThat(fs.list(fs.root)).isEmpty();
  }

  @Test
  void nothingOfASessionIsAppliedAfterItsEnd() {
    Command late = command(1, 1, create("a"));
    fs.submit(new Command.DropPins(SESSION));
    assertThat(fs.submit(late)).isEqualTo(new Reply.Failed(Reason.STALE));
    assertThat(fs.list(fs.root)).isEmpty();
    assertThat(reasonOf(StateLogNames.open(fs.log, VOLUME, SESSION, fs))).isEqualTo(Reason.STALE);
  }

  @Test
  void replyCacheGoesWithTheSession() {
    fs.submit(new Command.EnsureRoot(VOLUME, 77, 5));
    Command.Operate create = command(1, 1, create("a"));
    fs.submit(new Command.Operate(VOLUME, new OperationId(77, 1), 1, 5, create.operation()));
    int rows = fs.log.state(NamespaceModule.ID).size();
    fs.submit(new Command.DropPins(77));
    assertThat(fs.log.state(NamespaceModule.ID).size())
        .as("window and reply go, the fence comes")
        .isEqualTo(rows - 1);
  }

  @Test
  void oneSessionUsesSeveralVolumes() {
    StateLogNames other = StateLogNames.open(fs.log, 8, SESSION, fs).join();
    NewInode file = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    Attributes there = other.create(new Location(other.root(), List.of(USER_X)), file).join();
    Attributes here = fs.file("a");
    assertThat(there.inode()).isNotEqualTo(here.inode());
    assertThat(fs.list(fs.root)).containsExactly("a");
  }

  @Test
  void openingAgainFencesTheEarlierObject() {
    fs.file("a");
    StateLogNames again = StateLogNames.open(fs.log, VOLUME, SESSION, fs).join();
    assertThat(reasonOf(fs.names.unlink(fs.at("a")))).isEqualTo(Reason.STALE);
    again.unlink(fs.at("a")).join();
    assertThat(fs.list(fs.root)).isEmpty();
  }

  @Test
  void clientTellsTheOldestPendingOperation() {
    List<Command.Operate> seen = new ArrayList<>();
    List<CompletableFuture<byte[]>> replies = new ArrayList<>();
    StateLog slow = slowLog(seen, replies);
    StateLogNames names = StateLogNames.open(slow, VOLUME, 90, fs).join();
    CompletableFuture<Void> first = names.unlink(fs.at("a"));
    names.unlink(fs.at("b"));
    replies.get(1).complete(new Reply.Done().toBytes());
    names.unlink(fs.at("c"));
    replies
        .get(0)
        .completeExceptionally(new TrefoilException(Reason.OUTCOME_UNKNOWN, "leader lost"));
    names.unlink(fs.at("d"));
    assertThat(seen).extracting(command -> command.id().sequence()).containsExactly(1L, 2L, 3L, 4L);
    assertThat(seen).extracting(Command.Operate::oldestPending).containsExactly(1L, 1L, 1L, 3L);
    assertThatThrownBy(first::join)
        .hasMessageContaining("unknown whether")
        .hasMessageContaining("'a'");
    assertThat(reasonOf(first)).isEqualTo(Reason.OUTCOME_UNKNOWN);
  }

  private StateLog slowLog(List<Command.Operate> seen, List<CompletableFuture<byte[]>> replies) {
    return new StateLog() {
      @Override
      public CompletableFuture<byte[]> submit(byte module, byte[] command) {
        if (!(Command.of(command) instanceof Command.Operate operate)) {
          return fs.log.submit(module, command);
        }
        seen.add(operate);
        replies.add(new CompletableFuture<>());
        return replies.getLast();
      }

      @Override
      public CompletableFuture<byte[]> query(byte module, byte[] query) {
        return fs.log.query(module, query);
      }
    };
  }

  private Operation create(String path) {
    return new Operation.Create(
        fs.at(path), new NewInode(FileType.REGULAR.bits() | 0644, 1, 2, 0, new byte[0]));
  }

  private Command.Operate command(long number, long oldest, Operation operation) {
    return new Command.Operate(VOLUME, new OperationId(SESSION, number), oldest, fs.now, operation);
  }

  private byte[] submit(byte[] command) {
    return fs.log.submit(NamespaceModule.ID, command).join();
  }
}
