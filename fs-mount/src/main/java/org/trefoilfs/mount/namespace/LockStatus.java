package org.trefoilfs.mount.namespace;

/** What a lock's owner has after it has asked for something. */
public enum LockStatus {
  /** The lock; of what was unlocked in part, the rest. */
  HELD,
  /** A place among those that wait. */
  WAITING,
  NONE
}
