package org.trefoilfs.replication.commit;

/** When write(2) on a volume returns. Placement groups commit in lock-step in either mode. */
public enum CommitMode {
  /** When every in-sync replica holds the write. */
  SYNC,
  /** When the mounting host holds the write in its spool. */
  ASYNC
}
