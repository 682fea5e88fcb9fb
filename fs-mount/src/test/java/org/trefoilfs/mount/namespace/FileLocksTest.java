package org.trefoilfs.mount.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges of locks against a model that knows each byte's. */
class FileLocksTest {
  private static final int BYTES = 24;
  private static final int OPERATIONS = 20_000;
  private static final LockOwner A = new LockOwner(1, LockKind.POSIX, 10);
  private static final LockOwner B = new LockOwner(2, LockKind.POSIX, 10);
  private static final LockOwner C = new LockOwner(2, LockKind.FLOCK, 10);

  private final FileLocks locks = new FileLocks(List.of(), List.of());
  private final Map<LockOwner, LockType[]> model = new TreeMap<>(this::compare);

  private int compare(LockOwner one, LockOwner other) {
    return one.toString().compareTo(other.toString());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 0})
  void rangesAreWhatAModelOfEachByteSays(long seed) {
    long used = seed == 0 ? System.nanoTime() : seed;
    System.out.println("FileLocksTest seed " + used);
    Random random = new Random(used);
    List<LockOwner> owners = List.of(A, B, C, new LockOwner(1, LockKind.POSIX, 11));
    owners.forEach(owner -> model.put(owner, new LockType[BYTES]));
    int granted = 0;
    for (int i = 0; i < OPERATIONS; i++) {
      LockOwner owner = owners.get(random.nextInt(owners.size()));
      int first = random.nextInt(BYTES);
      int last = first + random.nextInt(BYTES - first);
      if (random.nextInt(3) == 0) {
        locks.release(owner, range(first, last));
        mark(owner, first, last, null);
      } else {
        LockType type = random.nextBoolean() ? LockType.READ : LockType.WRITE;
        granted += take(owner, type, first, last);
      }
      assertThat(canonical(locks.held())).as("seed %d, step %d", used, i).isEqualTo(expected());
    }
    assertThat(granted).isBetween(OPERATIONS / 10, OPERATIONS);
  }

  private int take(LockOwner owner, LockType type, int first, int last) {
    HeldLock wanted = new HeldLock(owner, type, range(first, last), 0);
    boolean free = isFree(owner, type, first, last);
    assertThat(locks.blocker(wanted).isEmpty()).isEqualTo(free);
    if (free) {
      locks.take(wanted);
      mark(owner, first, last, type);
    }
    return free ? 1 : 0;
  }

  private boolean isFree(LockOwner owner, LockType type, int first, int last) {
    for (var other : model.entrySet()) {
      LockOwner who = other.getKey();
      if (!who.equals(owner) && who.kind() == owner.kind()) {
        for (int i = first; i <= last; i++) {
          LockType there = other.getValue()[i];
          if (there != null && (there == LockType.WRITE || type == LockType.WRITE)) {
            return false;
          }
        }
      }
    }
    return true;
  }

  private void mark(LockOwner owner, int first, int last, LockType type) {
    java.util.Arrays.fill(model.get(owner), first, last + 1, type);
  }

  /** The last byte of the model stands for all up to the end of the largest file. */
  private static LockRange range(int first, int last) {
    return new LockRange(first, last == BYTES - 1 ? Long.MAX_VALUE : last);
  }

  private List<String> expected() {
    List<String> runs = new ArrayList<>();
    model.forEach(
        (owner, bytes) -> {
          for (int i = 0; i < BYTES; i++) {
            int first = i;
            while (i + 1 < BYTES && bytes[i + 1] == bytes[first]) {
              i++;
            }
            if (bytes[first] != null) {
              runs.add(owner + " " + bytes[first] + " " + range(first, i));
            }
          }
        });
    return runs.stream().sorted().toList();
  }

  private static List<String> canonical(List<HeldLock> held) {
    return held.stream()
        .map(lock -> lock.owner() + " " + lock.type() + " " + lock.range())
        .sorted()
        .toList();
  }

  @Test
  void whoWaitsGetsTheLockInItsTurn() {
    locks.take(lock(A, LockType.WRITE));
    locks.await(new LockWait(1, 0, lock(B, LockType.WRITE)));
    LockOwner third = new LockOwner(3, LockKind.POSIX, 1);
    locks.await(new LockWait(1, 0, lock(third, LockType.READ)));
    locks.release(A, LockRange.WHOLE);
    locks.grant();
    assertThat(locks.held()).containsExactly(lock(B, LockType.WRITE));
    locks.release(B, LockRange.WHOLE);
    locks.grant();
    assertThat(locks.held()).containsExactly(lock(third, LockType.READ));
    assertThat(locks.waiting()).isEmpty();
  }

  @Test
  void ownerNeverWaitsForWhoWaitsForIt() {
    locks.take(lock(A, LockType.READ));
    locks.await(new LockWait(1, 0, lock(B, LockType.WRITE)));
    assertThat(locks.before(lock(A, LockType.READ))).isEmpty();
    assertThat(locks.before(lock(new LockOwner(3, LockKind.POSIX, 1), LockType.READ))).hasSize(1);
  }

  @Test
  void flockAndPosixLocksIgnoreEachOther() {
    locks.take(lock(B, LockType.WRITE));
    assertThat(locks.blocker(lock(C, LockType.WRITE))).isEmpty();
  }

  @Test
  void piecesAreLimitedAndCanBeLetGoAllTheSame() {
    for (int i = 0; i < Limits.LOCKS; i++) {
      locks.take(new HeldLock(A, LockType.READ, new LockRange(4L * i, 4L * i + 2), 0));
    }
    HeldLock more = new HeldLock(B, LockType.READ, new LockRange(0, 1), 0);
    assertThatThrownBy(() -> locks.take(more)).isInstanceOf(Refusal.class);
    assertThatThrownBy(() -> locks.release(A, new LockRange(1, 1))).isInstanceOf(Refusal.class);
    assertThat(locks.held()).hasSize(Limits.LOCKS);
    locks.release(A, new LockRange(1, Long.MAX_VALUE));
    assertThat(locks.held()).hasSize(1);
    locks.take(more);
  }

  private static HeldLock lock(LockOwner owner, LockType type) {
    return new HeldLock(owner, type, LockRange.WHOLE, 0);
  }
}
