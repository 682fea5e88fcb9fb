package org.trefoilfs.mount.namespace;

/** Two families of locks that know nothing of each other, as on a local Linux filesystem. */
public enum LockKind {
  /** flock(2): of the whole file, owned by an open file description. */
  FLOCK,
  /**
   * fcntl(2): of a range, owned by a process, or (OFD) by an open file description. The kernel
   * numbers owners of both sorts alike, so they are not told apart.
   */
  POSIX
}
