package org.trefoilfs.replication.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ObjLongConsumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Disk;

/**
 * The journal as a chain of files that are overwritten again and again.
 *
 * <pre>
 *  segment-000000.journal          segment-000001.journal          released
 *  +--------+-----+-----+-----+    +--------+-----+-----+-----+    +----------+
 *  | header | rec | rec | ... |    | header | rec | rec | ... |    | position |
 *  +--------+-----+-----+-----+    +--------+-----+-----+-----+    +----------+
 *           ^ base     position grows by the bytes of records ->
 * </pre>
 *
 * Headers: {@link SegmentHeader}, {@link RecordFrame}. A file is reused as soon as all in it is
 * released; each use draws a new generation, and a record counts only with the generation of its
 * segment's header, so bytes of an earlier use are never taken for records. Every opening begins a
 * new segment: nothing is ever written behind a torn record.
 *
 * <p>Futures of {@link #sync} complete on the syncing thread: what hangs on them must be short.
 * Threads that append must not be interrupted, since that closes a {@code FileChannel}. One process
 * may have the directory open; its owner sees to that.
 *
 * <p>Lock order: {@code syncing}, then {@code lock}; appending takes {@code lock} alone.
 */
public final class SegmentedJournal implements Journal {
  private static final Logger LOG = LoggerFactory.getLogger(SegmentedJournal.class);

  private final Path directory;
  private final JournalOptions options;
  private final Disk disk;
  private final SegmentPool pool;
  private final ReleasedPosition released;
  private final SparePreparation preparation;
  private final ReplayReport report;
  private final GroupCommit groupCommit;
  private final ReentrantLock syncing = new ReentrantLock();
  private final ReentrantLock lock = new ReentrantLock();
  private final AtomicLong syncs = new AtomicLong();
  private final ArrayDeque<Segment> live;
  private Segment current;
  private boolean prepareAsked;
  private boolean namesDirty = true;
  private volatile long end;
  private volatile long synced;
  private volatile long releasedPosition;
  private volatile @Nullable TrefoilException failure;

  private SegmentedJournal(Path directory, JournalOptions options, Disk disk, Opened opened)
      throws IOException {
    this.directory = directory;
    this.options = options;
    this.disk = disk;
    this.pool = opened.pool;
    this.released = opened.released;
    this.preparation = new SparePreparation(pool, lock);
    this.report = opened.report;
    this.live = opened.recovery.live;
    this.end = report.end();
    // What was replayed may be in the page cache alone: of a process that died, not of a machine.
    live.forEach(segment -> segment.dirty = true);
    this.releasedPosition = released.position();
    this.synced = Math.min(releasedPosition, end);
    this.current = begin(opened.recovery.nextSequence());
    String name = "journal-sync-" + directory.getFileName();
    this.groupCommit = new GroupCommit(new Syncing(), name);
  }

  private record Opened(
      SegmentPool pool, ReleasedPosition released, Recovery recovery, ReplayReport report) {}

  /**
   * Opens, or creates, the journal in the directory.
   *
   * @param replay is given every record that is not released, in order, with its position; throws
   *     to refuse
   * @throws TrefoilException IO, NO_SPACE; INVALID when a newer version wrote the journal
   */
  public static SegmentedJournal open(
      Path directory, JournalOptions options, ObjLongConsumer<JournalRecord> replay) {
    return open(directory, options, replay, Disk.REAL);
  }

  static SegmentedJournal open(
      Path directory, JournalOptions options, ObjLongConsumer<JournalRecord> replay, Disk disk) {
    SegmentPool pool = new SegmentPool(directory, options, disk);
    try {
      Files.createDirectories(directory);
      ReleasedPosition released = ReleasedPosition.open(directory.resolve("released"), disk);
      Recovery recovery = new Recovery(pool, released.position(), replay);
      ReplayReport report = recovery.run();
      Opened opened = new Opened(pool, released, recovery, report);
      SegmentedJournal journal = new SegmentedJournal(directory, options, disk, opened);
      journal.groupCommit.start();
      journal.sync(journal.end).join();
      return journal;
    } catch (IOException e) {
      pool.abandon();
      throw Disk.failure("opening journal " + directory, e);
    } catch (RuntimeException e) {
      pool.abandon();
      throw e;
    }
  }

  /** What opening found. */
  public ReplayReport replayReport() {
    return report;
  }

  /** Rounds of fdatasync so far, each for everyone who waited. */
  public long syncs() {
    return syncs.get();
  }

  @Override
  public long append(JournalRecord record) {
    List<ByteBuffer> payload = RecordCodec.encode(record);
    long length = payload.stream().mapToLong(ByteBuffer::remaining).sum();
    if (length > RecordFrame.MAX_PAYLOAD) {
      throw new TrefoilException(
          Reason.TOO_LARGE,
          "journal record of " + length + " bytes; at most " + RecordFrame.MAX_PAYLOAD);
    }
    CRC32C crc = RecordFrame.checksum(payload);
    lock.lock();
    try {
      checkUsable();
      long bytes = RecordFrame.padded(length);
      if (current.offsetOf(end) + bytes > options.segmentBytes() && end > current.header().base()) {
        roll();
      }
      long generation = current.header().generation();
      RecordFrame frame = RecordFrame.seal((int) length, crc, generation, synced);
      write(frame, payload, bytes);
      long newEnd = end + bytes;
      end = newEnd;
      prepareWhenHalfFull();
      return newEnd;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public CompletableFuture<Void> sync(long position) {
    TrefoilException failed = failure;
    if (failed != null) {
      return CompletableFuture.failedFuture(failed);
    }
    if (position <= synced) {
      return CompletableFuture.completedFuture(null);
    }
    checkWritten(position);
    return groupCommit.await(position);
  }

  @Override
  public long end() {
    return end;
  }

  @Override
  public long synced() {
    return synced;
  }

  @Override
  public void release(long position) {
    checkWritten(position);
    syncing.lock();
    try {
      checkUsable();
      if (position <= releasedPosition) {
        return;
      }
      if (position > synced) {
        syncAll();
      }
      // Stable before anything is recycled, so that a missing segment is known to be a loss.
      released.advance(position);
      releasedPosition = position;
      recycle();
    } catch (IOException e) {
      throw fatal("releasing", e);
    } finally {
      syncing.unlock();
    }
  }

  @Override
  public long unreleased() {
    return end - releasedPosition;
  }

  @Override
  public long allocated() {
    lock.lock();
    try {
      long bytes = pool.bytes();
      for (Segment segment : live) {
        bytes += segment.channel.size();
      }
      return bytes;
    } catch (IOException e) {
      throw Disk.failure("journal " + directory, e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    TrefoilException closed =
        new TrefoilException(Reason.IO, "journal " + directory + " is closed");
    groupCommit.nudge();
    groupCommit.stop(closed);
    syncing.lock();
    lock.lock();
    try {
      if (failure == null) {
        failure = closed;
      }
      live.forEach(SegmentPool::closeQuietly);
      preparation.close();
      pool.close();
      released.close();
    } catch (IOException e) {
      LOG.warn("closing journal {}: {}", directory, e.toString());
    } finally {
      lock.unlock();
      syncing.unlock();
    }
  }

  private void write(RecordFrame frame, List<ByteBuffer> payload, long bytes) {
    ByteBuffer[] buffers = new ByteBuffer[payload.size() + 2];
    buffers[0] = frame.encode();
    for (int i = 0; i < payload.size(); i++) {
      buffers[i + 1] = payload.get(i);
    }
    int padding = (int) (bytes - RecordFrame.BYTES - frame.length());
    buffers[buffers.length - 1] = ByteBuffer.allocate(padding);
    try {
      current.append(end, buffers, bytes);
    } catch (IOException e) {
      // What was written of it lies behind the end, where the next record overwrites it.
      throw Disk.isFull(e) ? Disk.failure("journal " + directory, e) : fatal("appending", e);
    }
  }

  private void roll() {
    try {
      current = begin(current.header().sequence() + 1);
    } catch (IOException e) {
      throw Disk.isFull(e) ? Disk.failure("journal " + directory, e) : fatal("appending", e);
    }
    prepareAsked = false;
    groupCommit.nudge();
  }

  /** Begins a segment at the end; on failure nothing has changed. */
  private Segment begin(long sequence) throws IOException {
    boolean fresh = pool.isEmpty();
    Segment next = pool.take();
    try {
      next.begin(new SegmentHeader(sequence, generation(sequence), end, synced));
    } catch (IOException e) {
      if (fresh) {
        next.delete();
      } else {
        pool.giveBack(next);
      }
      throw e;
    }
    // Also for a spare, which may have been created since the last sync.
    namesDirty = true;
    live.addLast(next);
    return next;
  }

  /** No two segments have the same, and nobody who writes data can foresee it. */
  private long generation(long sequence) {
    return options.random().nextLong() << 32 | (sequence & 0xffffffffL);
  }

  private void recycle() throws IOException {
    lock.lock();
    try {
      while (live.size() > 1) {
        Segment first = live.removeFirst();
        if (live.getFirst().header().base() > releasedPosition) {
          live.addFirst(first);
          return;
        }
        pool.giveBack(first);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Makes everything that is appended by now stable. */
  private long syncAll() {
    syncing.lock();
    try {
      checkUsable();
      List<Segment> dirty = new ArrayList<>();
      long target;
      boolean names;
      lock.lock();
      try {
        target = end;
        live.stream().filter(segment -> segment.dirty).forEach(dirty::add);
        dirty.forEach(segment -> segment.dirty = false);
        names = namesDirty;
        namesDirty = false;
      } finally {
        lock.unlock();
      }
      for (Segment segment : dirty) {
        disk.force(segment.channel);
      }
      if (names) {
        disk.forceDirectory(directory);
      }
      syncs.incrementAndGet();
      synced = Math.max(synced, target);
      return synced;
    } catch (IOException e) {
      throw fatal("syncing", e);
    } finally {
      syncing.unlock();
    }
  }

  private void prepareWhenHalfFull() {
    if (!prepareAsked && current.offsetOf(end) > options.segmentBytes() / 2 && pool.isEmpty()) {
      prepareAsked = true;
      groupCommit.nudgeIdle();
    }
  }

  private void checkWritten(long position) {
    if (position > end) {
      throw new TrefoilException(
          Reason.INVALID, "journal position " + position + " is behind its end " + end);
    }
  }

  private void checkUsable() {
    TrefoilException failed = failure;
    if (failed != null) {
      throw failed;
    }
  }

  private TrefoilException fatal(String what, IOException cause) {
    TrefoilException failed =
        new TrefoilException(
            Reason.IO,
            "journal "
                + directory
                + " failed while "
                + what
                + ": "
                + cause
                + "; it takes no more writes: replace the disk and let the host fetch its groups",
            cause);
    failure = failed;
    groupCommit.fail(failed);
    LOG.error("{}", failed.getMessage());
    return failed;
  }

  private final class Syncing implements GroupCommit.Work {
    @Override
    public long syncAll() {
      return SegmentedJournal.this.syncAll();
    }

    @Override
    public boolean idle() {
      return preparation.step();
    }
  }
}
