package org.trefoilfs.mount.vfs;

import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.trefoilfs.mount.namespace.Attributes;
import org.trefoilfs.mount.namespace.CommitRule;

/**
 * What this mount keeps of an inode while calls or handles use it. Holding {@link #shared} are
 * writes, {@link #exclusive} truncation, appends, and explicit times. No other lock is taken inside
 * except the short monitor of {@link WriteReports}.
 */
final class OpenInode {
  private final long number;
  private final WriteReports reports;
  private final ReadWriteLock lock = new ReentrantReadWriteLock(true);
  private volatile CommitRule commit = CommitRule.VOLUME;
  private long suspectEnd;

  OpenInode(long number, WriteReports reports) {
    this.number = number;
    this.reports = reports;
  }

  long number() {
    return number;
  }

  WriteReports reports() {
    return reports;
  }

  /** As the namespace said last. */
  CommitRule commit() {
    return commit;
  }

  Attributes seen(Attributes found) {
    commit = found.commit();
    return found;
  }

  Lock shared() {
    return lock.readLock();
  }

  Lock exclusive() {
    return lock.writeLock();
  }

  /** A write up to {@code end} failed: bytes of it may lie beyond the end of the file. */
  synchronized void suspect(long end) {
    suspectEnd = Math.max(suspectEnd, end);
  }

  /** How far bytes of failed writes may reach. */
  synchronized long suspectEnd() {
    return suspectEnd;
  }

  /** What lies behind the end of the file has been made zero up to {@code end}. */
  synchronized void cleared(long end) {
    if (end >= suspectEnd) {
      suspectEnd = 0;
    }
  }
}
