package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.NamespaceFixture.SESSION;
import static org.trefoilfs.mount.namespace.NamespaceFixture.VOLUME;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.membership.OperationId;

/** What a request of the kernel's has changed is not changed again for the mount's next daemon. */
class TakingOverTest {
  private static final long UNIQUE = 4712;

  private final NamespaceFixture fs = new NamespaceFixture();
  private final ResentRequests resent = new ResentRequests();
  private long lastSession = 1_000;

  private StateLogNames next(long from) {
    StateLogNames names = StateLogNames.open(fs.log, VOLUME, ++lastSession, fs).join();
    names.takeOver(from, resent).join();
    return names;
  }

  private static <T> T as(Request request, Supplier<CompletableFuture<T>> call) {
    return request.during(call::get).join();
  }

  @Test
  void requestThatCameAgainGetsTheReplyThatItGot() {
    Request killed = new Request(UNIQUE);
    fs.file("a");
    as(killed, () -> fs.names.unlink(fs.at("a")));
    StateLogNames next = next(SESSION);
    fs.now += 5;
    NewInode wanted = new NewInode(FileType.REGULAR.bits() | 0644, 0, 0, 0, new byte[0]);
    long again = next.create(fs.at("a"), wanted).join().inode();
    Request came = resent.claim(UNIQUE);
    assertThat(came.isDone()).isTrue();
    as(came, () -> next.unlink(fs.at("a")));
    assertThat(next.lookup(fs.at("a")).join().inode()).isEqualTo(again);
  }

  @Test
  void requestThatHadFailedFailsAgain() {
    assertThat(reasonOf(new Request(UNIQUE).during(() -> fs.names.unlink(fs.at("absent")))))
        .isEqualTo(Reason.NOT_FOUND);
    StateLogNames next = next(SESSION);
    fs.now++;
    next.create(fs.at("absent"), new NewInode(0100644, 0, 0, 0, new byte[0])).join();
    Request came = resent.claim(UNIQUE);
    assertThat(came.isDone()).isFalse();
    assertThat(reasonOf(came.during(() -> next.unlink(fs.at("absent")))))
        .isEqualTo(Reason.NOT_FOUND);
    assertThat(next.lookup(fs.at("absent")).join().nlink()).isEqualTo(1);
  }

  @Test
  void replyIsKeptWhileItsRequestIsUnansweredHoweverMuchComesAfterIt() {
    Request open = new Request(UNIQUE);
    fs.directory("d");
    as(open, () -> fs.names.rmdir(fs.at("d")));
    for (int i = 0; i < 200; i++) {
      Request answered = new Request(1_000_000 + i);
      answered.serve(() -> fs.file("f"));
      answered.serve(() -> fs.names.unlink(fs.at("f")).join());
    }
    next(SESSION);
    assertThat(resent.claim(UNIQUE).isDone()).isTrue();
  }

  @Test
  void replyOutlivesTheEndOfItsSessionAndEveryFurtherTakeOver() {
    fs.directory("d");
    as(new Request(UNIQUE), () -> fs.names.rmdir(fs.at("d")));
    fs.submit(new Command.DropPins(SESSION));
    StateLogNames second = next(SESSION);
    StateLogNames third = next(second.session());
    fs.submit(new Command.DropPins(third.session()));
    ResentRequests last = new ResentRequests();
    StateLogNames.open(fs.log, VOLUME, 5_000, fs).join().takeOver(third.session(), last).join();
    assertThat(last.claim(UNIQUE).isDone()).isTrue();
  }

  @Test
  void nothingOfTheEarlierSessionIsAppliedAnyMore() {
    fs.file("a");
    next(SESSION);
    assertThat(reasonOf(fs.names.unlink(fs.at("a")))).isEqualTo(Reason.STALE);
  }

  @Test
  void takeOverThatIsSubmittedTwiceGetsTheSameAnswer() {
    fs.directory("d");
    as(new Request(UNIQUE), () -> fs.names.rmdir(fs.at("d")));
    StateLogNames.open(fs.log, VOLUME, 5_000, fs).join();
    Command command =
        new Command.Operate(
            VOLUME, new OperationId(5_000, 1), 1, fs.now, new Operation.TakeOver(SESSION));
    Reply first = fs.submit(command);
    assertThat(((Reply.TakenOver) first).answers()).hasSize(1);
    String after = fs.dump();
    assertThat(fs.submit(command).toBytes()).isEqualTo(first.toBytes());
    assertThat(fs.dump()).isEqualTo(after);
  }

  @Test
  void repliesOfRequestsThatDoNotComeAgainAreForgotten() {
    fs.directory("d");
    as(new Request(UNIQUE), () -> fs.names.rmdir(fs.at("d")));
    StateLogNames next = next(SESSION);
    resent.allCame();
    fs.now++;
    assertThat(reasonOf(next.unlink(fs.at("x")))).isEqualTo(Reason.NOT_FOUND);
    assertThat(reasonOf(next.unlink(fs.at("x")))).isEqualTo(Reason.NOT_FOUND);
    ResentRequests later = new ResentRequests();
    StateLogNames.open(fs.log, VOLUME, 5_000, fs).join().takeOver(next.session(), later).join();
    assertThat(later.claim(UNIQUE).isDone()).isFalse();
  }

  @Test
  void ofEndedSessionsOnlySoManyAreKept() {
    long first = 10_000;
    for (long session = first; session <= first + Limits.ENDED_SESSIONS; session++) {
      StateLogNames names = StateLogNames.open(fs.log, VOLUME, session, fs).join();
      reasonOf(new Request(UNIQUE).during(() -> names.unlink(fs.at("absent"))));
      fs.submit(new Command.DropPins(session));
    }
    ResentRequests oldest = new ResentRequests();
    StateLogNames taker = StateLogNames.open(fs.log, VOLUME, 5_000, fs).join();
    taker.takeOver(first, oldest).join();
    assertThat(oldest.claim(UNIQUE).next()).isNull();
    taker.takeOver(first + 1, oldest).join();
    assertThat(oldest.claim(UNIQUE).next()).isInstanceOf(Reply.Failed.class);
  }

  @Test
  void whatASessionInheritedIsNobodyElsesBeforeBothAreOver() {
    long file = fs.file("f").inode();
    fs.names.lease(file).join();
    StateLogNames heir = StateLogNames.open(fs.log, VOLUME, ++lastSession, fs).join();
    heir.inherit(SESSION).join();
    StateLogNames other = StateLogNames.open(fs.log, VOLUME, ++lastSession, fs).join();
    assertThat(fs.submit(new Command.DropPins(heir.session())))
        .as("writes of the session that had the lease first may still be on their way")
        .isEqualTo(new Reply.Failed(Reason.BUSY));
    assertThat(other.lease(file).join().holder()).isEqualTo(heir.session());
    fs.submit(new Command.DropPins(SESSION));
    fs.submit(new Command.DropPins(heir.session()));
    assertThat(other.lease(file).join().holder()).isEqualTo(other.session());
  }

  @Test
  void nobodyWaitsForASessionThatNeverOpenedTheVolume() {
    StateLogNames heir = StateLogNames.open(fs.log, VOLUME, ++lastSession, fs).join();
    heir.inherit(9_999).join();
    assertThat(fs.submit(new Command.DropPins(heir.session()))).isEqualTo(new Reply.Done());
  }

  @Test
  void noSessionInheritsFromItsHeir() {
    StateLogNames heir = StateLogNames.open(fs.log, VOLUME, ++lastSession, fs).join();
    StateLogNames heirs = StateLogNames.open(fs.log, VOLUME, ++lastSession, fs).join();
    heir.inherit(SESSION).join();
    heirs.inherit(heir.session()).join();
    assertThat(reasonOf(fs.names.inherit(heirs.session()))).isEqualTo(Reason.INVALID);
    assertThat(reasonOf(fs.names.inherit(SESSION))).isEqualTo(Reason.INVALID);
  }
}
