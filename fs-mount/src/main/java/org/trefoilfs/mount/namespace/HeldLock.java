package org.trefoilfs.mount.namespace;

import java.util.ArrayList;
import java.util.List;

/** A lock that somebody has, or wants. */
public record HeldLock(LockOwner owner, LockType type, LockRange range, int pid) {
  boolean conflicts(HeldLock other) {
    return !owner.equals(other.owner)
        && owner.kind() == other.owner.kind()
        && (type == LockType.WRITE || other.type == LockType.WRITE)
        && range.overlaps(other.range);
  }

  /** The same, as this process'. */
  public HeldLock by(int process) {
    return new HeldLock(owner, type, range, process);
  }

  HeldLock in(long session) {
    return new HeldLock(new LockOwner(session, owner.kind(), owner.id()), type, range, pid);
  }

  HeldLock over(LockRange other) {
    return new HeldLock(owner, type, other, pid);
  }

  /** What is left of it: nothing, one piece or two. */
  List<HeldLock> without(LockRange cut) {
    if (!range.overlaps(cut)) {
      return List.of(this);
    }
    List<HeldLock> left = new ArrayList<>(2);
    if (range.start() < cut.start()) {
      left.add(over(new LockRange(range.start(), cut.start() - 1)));
    }
    if (range.end() > cut.end()) {
      left.add(over(new LockRange(cut.end() + 1, range.end())));
    }
    return left;
  }
}
