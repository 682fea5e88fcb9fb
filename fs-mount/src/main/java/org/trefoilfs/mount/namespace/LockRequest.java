package org.trefoilfs.mount.namespace;

/**
 * A lock that a mount asks for.
 *
 * @param owner see {@link LockOwner}
 * @param pid of the process that asks, as its kernel knows it
 */
public record LockRequest(LockKind kind, long owner, LockType type, LockRange range, int pid) {
  HeldLock by(long session) {
    return new HeldLock(new LockOwner(session, kind, owner), type, range, pid);
  }
}
