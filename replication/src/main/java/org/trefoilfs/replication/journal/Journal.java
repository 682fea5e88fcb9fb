package org.trefoilfs.replication.journal;

import java.io.Closeable;
import java.util.concurrent.CompletableFuture;

/**
 * The write-ahead journal of one disk, shared by all placement groups. Thread-safe. Positions grow;
 * a record's position is that of its end. An I/O error is fatal for the journal: every later call
 * fails with {@code Reason.IO} (an fsync that failed may have lost what it was asked to keep;
 * trying again cannot tell).
 */
public interface Journal extends Closeable {
  /**
   * Appends. On return the record outlives the process, not yet a loss of power.
   *
   * @return its position
   * @throws org.trefoilfs.replication.TrefoilException NO_SPACE when the disk has no room and
   *     nothing was written; IO
   */
  long append(JournalRecord record);

  /**
   * Completes when everything up to {@code position} is on stable storage. One fdatasync serves all
   * who wait.
   */
  CompletableFuture<Void> sync(long position);

  /** Position after the last record. */
  long end();

  /** Everything up to here is on stable storage. */
  long synced();

  /**
   * Records up to {@code position} are in the chunk store, durably: their segments may be recycled.
   */
  void release(long position);

  /** Bytes between the last release and the end. */
  long unreleased();

  /** Bytes of the disk that it takes, its spare room included. */
  long allocated();

  @Override
  void close();
}
