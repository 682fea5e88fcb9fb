package org.trefoilfs.replication.host;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.journal.Journal;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.journal.SyncWaiters;

/** A journal in memory; what is appended is on stable storage when the test says so. */
final class HeldJournal implements Journal {
  final List<JournalRecord> records = new ArrayList<>();
  private final SyncWaiters waiters = new SyncWaiters();
  private long synced;

  /** What {@link #unreleased} says. */
  volatile long unreleased;

  @Override
  public synchronized long append(JournalRecord record) {
    records.add(record);
    return records.size();
  }

  @Override
  public synchronized CompletableFuture<Void> sync(long position) {
    return position <= synced ? CompletableFuture.completedFuture(null) : waiters.add(position);
  }

  /** Up to the position after so many records. */
  void stable(long position) {
    List<CompletableFuture<Void>> served;
    synchronized (this) {
      synced = position;
      served = waiters.takeServed(position);
    }
    served.forEach(done -> done.complete(null));
  }

  /** Whether somebody waits for a sync. */
  synchronized boolean isAwaited() {
    return !waiters.isEmpty();
  }

  @Override
  public synchronized long end() {
    return records.size();
  }

  @Override
  public synchronized long synced() {
    return synced;
  }

  @Override
  public void release(long position) {}

  @Override
  public long unreleased() {
    return unreleased;
  }

  @Override
  public long allocated() {
    return 0;
  }

  @Override
  public void close() {}
}
