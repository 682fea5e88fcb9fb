package org.trefoilfs.mount.namespace;

/**
 * A request that waits.
 *
 * @param ticket the number that the session gave it
 * @param overtaken how often somebody who came later was let past it
 */
record LockWait(long ticket, int overtaken, HeldLock wanted) {
  LockWait passed() {
    return new LockWait(ticket, overtaken + 1, wanted);
  }

  boolean is(long session, long number) {
    return ticket == number && wanted.owner().session() == session;
  }
}
