package org.trefoilfs.mount.namespace;

/** Any number of readers, or one writer. flock(2) says shared and exclusive. */
public enum LockType {
  READ,
  WRITE
}
