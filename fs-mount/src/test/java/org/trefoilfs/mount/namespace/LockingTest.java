package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.mount.namespace.NamespaceFixture.SESSION;
import static org.trefoilfs.mount.namespace.NamespaceFixture.VOLUME;
import static org.trefoilfs.mount.namespace.NamespaceFixture.reasonOf;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.membership.OperationId;

/** Locks of several sessions in the namespace. */
class LockingTest {
  private static final LockRange LOW = new LockRange(0, 9);
  private static final LockRange HIGH = new LockRange(10, 19);

  private final NamespaceFixture fs = new NamespaceFixture();
  private final Locks a = fs.names.locks();
  private final Locks b = StateLogNames.open(fs.log, VOLUME, 42, fs).join().locks();
  private final Locks c = StateLogNames.open(fs.log, VOLUME, 43, fs).join().locks();
  private final long file = fs.file("f").inode();

  @AfterEach
  void rowsAreSound() {
    assertThat(new TreeAudit(fs.log.state(NamespaceModule.ID)).problems()).isEmpty();
  }

  @Test
  void lockOfOneSessionKeepsAnotherOut() {
    assertThat(lock(a, write(1, LOW), 0)).isEqualTo(LockStatus.HELD);
    assertThat(reasonOf(b.lock(file, write(1, LOW), 0))).isEqualTo(Reason.WOULD_BLOCK);
    assertThat(b.test(file, read(1, LOW)).join().orElseThrow().owner())
        .isEqualTo(new LockOwner(SESSION, LockKind.POSIX, 1));
    assertThat(a.test(file, read(1, LOW)).join()).isEmpty();
    assertThat(lock(b, write(1, HIGH), 0)).isEqualTo(LockStatus.HELD);
    assertThat(unlock(a, 1, new LockRange(0, 4))).isEqualTo(LockStatus.HELD);
    assertThat(lock(b, write(1, new LockRange(0, 4)), 0)).isEqualTo(LockStatus.HELD);
    assertThat(unlock(a, 1, LockRange.WHOLE)).isEqualTo(LockStatus.NONE);
    assertThat(lock(b, write(1, LOW), 0)).isEqualTo(LockStatus.HELD);
  }

  @Test
  void lockingChangesNoTimes() {
    Attributes before = fs.lookup("f");
    fs.now += 1_000;
    lock(a, write(1, LOW), 0);
    unlock(a, 1, LOW);
    assertThat(fs.lookup("f")).isEqualTo(before);
  }

  @Test
  void whoWaitsIsGrantedTheLockWhenItIsLetGo() {
    lock(a, write(1, LOW), 0);
    assertThat(lock(b, write(1, LOW), 5)).isEqualTo(LockStatus.WAITING);
    assertThat(lock(c, write(1, LOW), 6)).isEqualTo(LockStatus.WAITING);
    assertThat(waiting(b)).containsExactly(5L);
    unlock(a, 1, LOW);
    assertThat(waiting(b)).isEmpty();
    assertThat(waiting(c)).containsExactly(6L);
    assertThat(reasonOf(a.lock(file, read(1, LOW), 0))).isEqualTo(Reason.WOULD_BLOCK);
  }

  @Test
  void withdrawnRequestLeavesNothingAndOneThatWasGrantedSaysSo() {
    lock(a, write(1, LOW), 0);
    lock(b, write(1, LOW), 5);
    lock(c, write(1, LOW), 6);
    assertThat(b.withdraw(file, 5).join()).isEqualTo(LockStatus.NONE);
    unlock(a, 1, LOW);
    assertThat(c.withdraw(file, 6).join()).isEqualTo(LockStatus.HELD);
    unlock(c, 1, LOW);
    assertThat(lockRows()).isZero();
  }

  @Test
  void readersWaitBehindAWriterUntilTheyOvertakeItAndThenLonger() {
    lock(a, read(1, LOW), 0);
    lock(b, write(1, LOW), 1);
    assertThat(lock(c, read(1, LOW), 2)).isEqualTo(LockStatus.WAITING);
    assertThat(lock(c, read(2, LOW), 3)).isEqualTo(LockStatus.WAITING);
    assertThat(c.overtake(file, 2, 1).join()).isEqualTo(LockStatus.HELD);
    assertThat(c.overtake(file, 3, 1).join()).isEqualTo(LockStatus.WAITING);
    assertThat(c.overtake(file, 3, 2).join()).isEqualTo(LockStatus.HELD);
    assertThat(b.overtake(file, 1, 9).join())
        .as("a lock is in the way")
        .isEqualTo(LockStatus.WAITING);
  }

  @Test
  void requestThatDoesNotWaitGoesByLocksAlone() {
    lock(a, read(1, LOW), 0);
    lock(b, write(1, LOW), 1);
    assertThat(lock(c, read(1, LOW), 0)).isEqualTo(LockStatus.HELD);
  }

  @Test
  void readerThatAsksForMoreIsNotHeldUpByWhoWaitsForIt() {
    lock(a, read(1, LOW), 0);
    lock(b, write(1, new LockRange(0, 19)), 1);
    assertThat(lock(a, read(1, HIGH), 2)).isEqualTo(LockStatus.HELD);
  }

  @Test
  void circleOfWaitsIsADeadlockAcrossSessionsAndFiles() {
    long other = fs.file("g").inode();
    lock(a, write(1, LOW), 0);
    b.lock(other, write(1, LOW), 0).join();
    c.lock(other, write(1, HIGH), 0).join();
    assertThat(lock(c, write(1, LOW), 1)).isEqualTo(LockStatus.WAITING);
    assertThat(b.lock(other, write(1, HIGH), 1).join()).isEqualTo(LockStatus.WAITING);
    assertThat(reasonOf(a.lock(other, write(1, LOW), 1))).isEqualTo(Reason.DEADLOCK);
    assertThat(waiting(a)).isEmpty();
  }

  @Test
  void twoReadersThatBothWantToWriteAreADeadlock() {
    lock(a, read(1, LOW), 0);
    lock(b, read(1, LOW), 0);
    assertThat(lock(a, write(1, LOW), 1)).isEqualTo(LockStatus.WAITING);
    assertThat(reasonOf(b.lock(file, write(1, LOW), 1))).isEqualTo(Reason.DEADLOCK);
    unlock(b, 1, LOW);
    assertThat(waiting(a)).isEmpty();
  }

  @Test
  void twoSharedFlocksThatBothWantToBeAloneTakeTurns() {
    lock(a, flock(1, LockType.READ), 0);
    lock(b, flock(1, LockType.READ), 0);
    assertThat(lock(a, flock(1, LockType.WRITE), 1)).isEqualTo(LockStatus.WAITING);
    assertThat(lock(b, flock(1, LockType.WRITE), 1)).isEqualTo(LockStatus.HELD);
    assertThat(waiting(a)).containsExactly(1L);
    b.unlock(file, LockKind.FLOCK, 1, LockRange.WHOLE).join();
    assertThat(waiting(a)).isEmpty();
  }

  @Test
  void locksOfASessionGoWithItsEndAndNotBefore() {
    lock(a, write(1, LOW), 0);
    lock(b, write(1, LOW), 1);
    lock(c, write(1, LOW), 2);
    fs.submit(new Command.DropPins(42));
    assertThat(waiting(c)).containsExactly(2L);
    assertThat(reasonOf(b.waiting(0))).isEqualTo(Reason.STALE);
    fs.submit(new Command.DropPins(SESSION));
    assertThat(waiting(c)).isEmpty();
    assertThat(reasonOf(a.lock(file, read(1, LOW), 0))).isEqualTo(Reason.STALE);
    fs.submit(new Command.DropPins(43));
    assertThat(lockRows()).isZero();
  }

  @Test
  void nextSessionOfAMountDoesNotInheritLocks() {
    lock(a, write(1, LOW), 0);
    StateLogNames next = StateLogNames.open(fs.log, VOLUME, 44, fs).join();
    next.inherit(SESSION).join();
    fs.submit(new Command.DropPins(SESSION));
    assertThat(lock(b, write(1, LOW), 0)).isEqualTo(LockStatus.HELD);
  }

  @Test
  void inheritedLocksAreNobodyElsesBeforeBothSessionsAreOver() {
    lock(a, write(1, LOW), 0);
    StateLogNames next = StateLogNames.open(fs.log, VOLUME, 44, fs).join();
    next.inheritLocks(SESSION).join();
    assertThat(fs.submit(new Command.DropPins(44))).isEqualTo(new Reply.Failed(Reason.BUSY));
    assertThat(reasonOf(b.lock(file, write(1, LOW), 0))).isEqualTo(Reason.WOULD_BLOCK);
    fs.submit(new Command.DropPins(SESSION));
    assertThat(reasonOf(b.lock(file, write(1, LOW), 0))).isEqualTo(Reason.WOULD_BLOCK);
    fs.submit(new Command.DropPins(44));
    assertThat(lock(b, write(1, LOW), 0)).isEqualTo(LockStatus.HELD);
  }

  @Test
  void retriesGetTheFirstAnswer() {
    lock(a, write(1, LOW), 0);
    Command wait = operate(42, 1, new Operation.Lock(file, write(1, LOW), 7));
    assertThat(fs.submit(wait)).isEqualTo(new Reply.LockIs(LockStatus.WAITING));
    Command unlock = operate(43, 1, new Operation.Unlock(file, LockKind.POSIX, 1, LOW));
    assertThat(fs.submit(unlock)).isEqualTo(new Reply.LockIs(LockStatus.NONE));
    unlock(a, 1, LOW);
    String rows = fs.dump();
    assertThat(fs.submit(wait)).isEqualTo(new Reply.LockIs(LockStatus.WAITING));
    assertThat(fs.submit(unlock)).isEqualTo(new Reply.LockIs(LockStatus.NONE));
    assertThat(fs.dump()).isEqualTo(rows);
  }

  @Test
  void fileWithoutANameIsLockedOnAndTakesItsLocksAlong() {
    fs.names.pin(java.util.Set.of(file)).join();
    fs.names.unlink(fs.at("f")).join();
    assertThat(lock(a, write(1, LOW), 0)).isEqualTo(LockStatus.HELD);
    assertThat(lock(b, write(1, LOW), 1)).isEqualTo(LockStatus.WAITING);
    fs.names.unpin(java.util.Set.of(file)).join();
    new Reclaimer(fs.log, () -> Long.MAX_VALUE, volume -> new RecordingVolume()).runOnce().join();
    assertThat(lockRows()).isZero();
    assertThat(reasonOf(a.lock(file, write(1, LOW), 0))).isEqualTo(Reason.NOT_FOUND);
    assertThat(unlock(a, 1, LOW)).isEqualTo(LockStatus.NONE);
  }

  @Test
  void soManyMayWaitAndNoMore() {
    lock(a, write(1, LOW), 0);
    for (int i = 1; i <= Limits.LOCK_WAITS; i++) {
      assertThat(lock(b, write(i, LOW), i)).isEqualTo(LockStatus.WAITING);
    }
    assertThat(reasonOf(c.lock(file, write(1, LOW), 1))).isEqualTo(Reason.NO_LOCKS);
    assertThat(waiting(b)).hasSize(Limits.LOCK_WAITS);
    fs.submit(new Command.DropPins(42));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 0})
  void nobodyWaitsForWhatIsFreeAndNoTwoHaveWhatConflicts(long seed) {
    long used = seed == 0 ? System.nanoTime() : seed;
    System.out.println("LockingTest seed " + used);
    Random random = new Random(used);
    List<Locks> sessions = List.of(a, b, c);
    for (int ticket = 1; ticket <= 3_000; ticket++) {
      step(random, sessions.get(random.nextInt(3)), ticket);
      FileLocks now = LockRows.read(fs.log.state(NamespaceModule.ID), file);
      for (HeldLock lock : now.held()) {
        assertThat(now.blocker(lock)).as("seed %d, step %d", used, ticket).isEmpty();
      }
      FileLocks again = new FileLocks(now.held(), now.waiting());
      again.grant();
      assertThat(again.waiting()).as("seed %d, step %d", used, ticket).isEqualTo(now.waiting());
    }
    rowsAreSound();
  }

  private void step(Random random, Locks at, int ticket) {
    long owner = random.nextInt(3);
    int start = random.nextInt(20);
    LockRange range = new LockRange(start, start + random.nextInt(20));
    LockKind kind = random.nextInt(4) == 0 ? LockKind.FLOCK : LockKind.POSIX;
    LockType type = random.nextBoolean() ? LockType.READ : LockType.WRITE;
    switch (random.nextInt(6)) {
      case 0, 1 ->
          at.lock(file, new LockRequest(kind, owner, type, range, 1), ticket)
              .handle((status, failure) -> status)
              .join();
      case 2 ->
          at.lock(file, new LockRequest(kind, owner, type, range, 1), 0)
              .handle((status, failure) -> status)
              .join();
      case 3 -> waiting(at).stream().findAny().ifPresent(t -> at.withdraw(file, t).join());
      case 4 -> waiting(at).stream().findAny().ifPresent(t -> at.overtake(file, t, 3).join());
      default -> at.unlock(file, kind, owner, range).join();
    }
  }

  private Command operate(long session, long number, Operation operation) {
    return new Command.Operate(VOLUME, new OperationId(session, number), 1, fs.now, operation);
  }

  private LockStatus lock(Locks at, LockRequest request, long ticket) {
    return at.lock(file, request, ticket).join();
  }

  private LockStatus unlock(Locks at, long owner, LockRange range) {
    return at.unlock(file, LockKind.POSIX, owner, range).join();
  }

  private static List<Long> waiting(Locks at) {
    return at.waiting(0).join();
  }

  private long lockRows() {
    return fs.dump().lines().filter(row -> row.matches("(6b|68|62)[0-9a-f]* = .*")).count();
  }

  private static LockRequest read(long owner, LockRange range) {
    return new LockRequest(LockKind.POSIX, owner, LockType.READ, range, 1);
  }

  private static LockRequest write(long owner, LockRange range) {
    return new LockRequest(LockKind.POSIX, owner, LockType.WRITE, range, 1);
  }

  private static LockRequest flock(long owner, LockType type) {
    return new LockRequest(LockKind.FLOCK, owner, type, LockRange.WHOLE, 1);
  }
}
