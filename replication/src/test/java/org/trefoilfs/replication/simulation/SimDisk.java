package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.journal.SyncWaiters;

/**
 * A host's disk: the journal and the store. Both are in the page cache until they are synced: a
 * killed process leaves all of it, a loss of power what was synced, and of the journal's rest a
 * part from its beginning, for replay ends at the first torn record. A position is the number of
 * records up to there.
 */
final class SimDisk {
  private final Network network;
  private final SplittableRandom random;
  private final boolean slow;
  private final List<JournalRecord> records = new ArrayList<>();
  private SyncWaiters waiters = new SyncWaiters();
  SimStore store = new SimStore();
  private long released;
  private long synced;
  private boolean syncing;

  /** Grows with each start: a sync that was under way for a dead process tells nobody. */
  private long use;

  /** Appending fails with NO_SPACE, and nothing is written. */
  boolean full;

  /** The next sync fails: from then on nothing can be done with this disk by this process. */
  boolean syncFails;

  private TrefoilException failure;
  private Runnable onFailure = () -> {};
  private Consumer<Runnable> process = Runnable::run;

  SimDisk(Network network, boolean slow) {
    this.network = network;
    this.slow = slow;
    this.random = network.random;
  }

  /**
   * A process opens it, reads what is there, and syncs that.
   *
   * @param process runs what waits for a sync
   */
  void open(Consumer<Runnable> process, Runnable fatal) {
    this.process = process;
    use++;
    waiters = new SyncWaiters();
    syncing = false;
    failure = null;
    syncFails = false;
    onFailure = fatal;
    synced = end();
  }

  /** Records that are not released, in order. */
  List<JournalRecord> records() {
    return records;
  }

  /** Position of the first of {@link #records}. */
  long firstPosition() {
    return released + 1;
  }

  long end() {
    return released + records.size();
  }

  long synced() {
    return synced;
  }

  long append(JournalRecord record) {
    if (failure != null) {
      throw failure;
    }
    if (full && record instanceof JournalRecord.Prepared) {
      throw new TrefoilException(Reason.NO_SPACE, "the disk is full");
    }
    records.add(record);
    return end();
  }

  CompletableFuture<Void> sync(long position) {
    if (failure != null) {
      return CompletableFuture.failedFuture(failure);
    }
    if (position <= synced) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<Void> done = waiters.add(position);
    syncNext();
    return done;
  }

  private void syncNext() {
    if (syncing || waiters.isEmpty()) {
      return;
    }
    syncing = true;
    long target = end();
    long mine = use;
    network.after(
        50_000 + random.nextLong(slow || network.oneIn(20) ? 50_000_000 : 500_000),
        () -> {
          if (mine == use) {
            process.accept(() -> synced(target));
          }
        });
  }

  private void synced(long target) {
    syncing = false;
    if (syncFails) {
      fail();
      return;
    }
    synced = Math.max(synced, target);
    waiters.takeServed(synced).forEach(done -> done.complete(null));
    syncNext();
  }

  private void fail() {
    failure = new TrefoilException(Reason.IO, "fsync failed");
    onFailure.run();
    waiters.takeAll().forEach(done -> done.completeExceptionally(failure));
  }

  void release(long position) {
    if (position > released) {
      records.subList(0, (int) (position - released)).clear();
      released = position;
      synced = Math.max(synced, released);
    }
  }

  /** The process is gone; what it had written is not, unless the kernel dropped it on an error. */
  void abandoned() {
    use++;
  }

  /** Groups of which records are lost. */
  Set<Integer> losePower() {
    use++;
    long kept =
        synced + (end() > synced && random.nextBoolean() ? random.nextLong(end() - synced) : 0);
    List<JournalRecord> lost = records.subList((int) (kept - released), records.size());
    Set<Integer> groups = new TreeSet<>();
    lost.forEach(record -> groups.add(record.pg()));
    lost.clear();
    store.losePower(random);
    return groups;
  }

  /** Another disk is put in. */
  void replace() {
    use++;
    records.clear();
    store = new SimStore();
    released = 0;
    synced = 0;
    full = false;
  }
}
