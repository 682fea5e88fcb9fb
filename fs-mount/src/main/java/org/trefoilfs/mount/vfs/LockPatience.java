package org.trefoilfs.mount.vfs;

/** What a request for a lock does when others are in the way. */
public enum LockPatience {
  /** It fails with WOULD_BLOCK. */
  NONE,
  /** It waits, for ever if need be, or until it is interrupted. */
  WAIT
}
