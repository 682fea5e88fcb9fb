package org.trefoilfs.replication.commit;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.ChunkImage;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.journal.JournalRecord;
import org.trefoilfs.replication.membership.OperationId;

/**
 * A group's log at one host: the commit index, and the prepared suffix above it, without a gap.
 * Invariants: {@code commitIndex <= lastN}; the suffix holds exactly the numbers {@code
 * commitIndex+1 .. lastN}. The same class follows the journal when it is replayed, so that what is
 * recovered is what was.
 */
public final class GroupLog {
  private final int pg;
  private final TreeMap<Long, Entry> suffix = new TreeMap<>();
  private final Map<ChunkId, Integer> uncommittedOfChunk = new HashMap<>();
  private final Map<OperationId, Entry> uncommittedOperations = new HashMap<>();

  /**
   * By the positions of images in the journal: that of the oldest write which comes after the image
   * in the store, and before it in the journal.
   */
  private final TreeMap<Long, Long> oldestAfterImage = new TreeMap<>();

  private long suffixBytes;
  private long view;
  private long commitIndex;
  private final CopyState copyState = new CopyState();

  public GroupLog(int pg) {
    this.pg = pg;
  }

  /** What this host's chunks hold of what was committed. */
  public CopyState copyState() {
    return copyState;
  }

  public int pg() {
    return pg;
  }

  public long commitIndex() {
    return commitIndex;
  }

  public long lastN() {
    return suffix.isEmpty() ? commitIndex : suffix.lastKey();
  }

  /** The newest view in which this log was written, and its commit index. */
  public Version committed() {
    return new Version(view, commitIndex);
  }

  /** The newest view in which this log was written, and its last number. */
  public Version last() {
    return new Version(view, lastN());
  }

  public Collection<Entry> suffix() {
    return List.copyOf(suffix.values());
  }

  /** Bytes of data in the suffix. */
  public long suffixBytes() {
    return suffixBytes;
  }

  public Optional<Entry> uncommitted(OperationId operation) {
    return Optional.ofNullable(uncommittedOperations.get(operation));
  }

  /** Whether a prepared write of this chunk is not known to be committed. */
  public boolean hasUncommitted(ChunkId chunk) {
    return uncommittedOfChunk.containsKey(chunk);
  }

  /** Adds the next entry, or replaces one of the suffix. */
  public void put(Entry entry) {
    if (entry.n() <= commitIndex || entry.n() > lastN() + 1) {
      throw new IllegalStateException(
          "group "
              + pg
              + ": entry "
              + entry.n()
              + " does not follow "
              + commitIndex
              + ".."
              + lastN());
    }
    forget(suffix.put(entry.n(), entry));
    suffixBytes += entry.mutation().bytes();
    uncommittedOfChunk.merge(entry.mutation().chunk(), 1, Integer::sum);
    uncommittedOperations.put(entry.operation(), entry);
    view = Math.max(view, entry.version().view());
  }

  /** Voids entries numbered above {@code n}. */
  public void truncateAbove(long n, long inView) {
    if (n < commitIndex) {
      throw new IllegalStateException(
          "group " + pg + ": truncating committed " + commitIndex + " to " + n);
    }
    var above = suffix.tailMap(n, false);
    new ArrayList<>(above.values()).forEach(this::forget);
    above.clear();
    view = Math.max(view, inView);
  }

  /** Numbers up to {@code n} are known to be taken. */
  public void startAfter(long n) {
    if (n > lastN()) {
      reset(view, n);
    }
  }

  /**
   * Marks as committed up to {@code n}, as far as the suffix reaches, and returns those entries in
   * order.
   */
  public List<Entry> commitTo(long n) {
    var head = suffix.headMap(n, true);
    List<Entry> committed = new ArrayList<>(head.values());
    committed.forEach(this::forget);
    head.clear();
    if (!committed.isEmpty()) {
      commitIndex = committed.getLast().n();
    }
    return committed;
  }

  /** Forgets everything: the log now begins after {@code n}. */
  public void reset(long inView, long n) {
    suffix.clear();
    suffixBytes = 0;
    uncommittedOfChunk.clear();
    uncommittedOperations.clear();
    commitIndex = n;
    view = Math.max(view, inView);
  }

  /**
   * An image of a chunk was journaled at this position. Writes of the suffix are prepared before it
   * and applied after it, by a replay, too.
   */
  public void imageAt(long position) {
    suffix.values().stream()
        .mapToLong(Entry::position)
        .min()
        .ifPresent(oldest -> oldestAfterImage.put(position, oldest));
  }

  /**
   * How far the journal may be released at most, when all up to {@code wanted} is in the store: an
   * image whose record is kept is redone over whatever the store has, and so must be the writes
   * that came after it.
   */
  public long releasable(long wanted) {
    long releasable = wanted;
    for (var image : oldestAfterImage.descendingMap().entrySet()) {
      if (image.getKey() > releasable) {
        releasable = Math.min(releasable, image.getValue() - 1);
      }
    }
    return releasable;
  }

  /** The journal begins after this position now. */
  public void released(long position) {
    oldestAfterImage.headMap(position, true).clear();
  }

  /**
   * Follows a record of a replayed journal. The journal may begin after records that were released:
   * a jump forward is what the group had committed by then.
   *
   * @return entries that the record shows to be committed, to be redone in order
   */
  public List<Entry> replay(JournalRecord record, long position) {
    List<Entry> redo = follow(record, position);
    redo.forEach(entry -> copyState.redone(entry.mutation().chunk()));
    return redo;
  }

  private List<Entry> follow(JournalRecord record, long position) {
    return switch (record) {
      case JournalRecord.Prepared prepared -> replayPrepared(prepared, position);
      case JournalRecord.Truncated truncated -> {
        lowerTo(truncated.lastN());
        truncateAbove(truncated.lastN(), truncated.view());
        yield List.of();
      }
      case JournalRecord.Committed committed -> {
        List<Entry> redo = commitTo(committed.n());
        if (committed.n() > commitIndex && suffix.isEmpty()) {
          commitIndex = committed.n();
        }
        view = Math.max(view, committed.view());
        yield redo;
      }
      case JournalRecord.Reset reset -> {
        reset(reset.view(), reset.n());
        copyState.logBeganAnew();
        yield List.of();
      }
      case JournalRecord.Copying copying -> {
        copyState.restore(copying);
        yield List.of();
      }
      case JournalRecord.Installed(_, ChunkImage image) -> copied(image, position);
      case JournalRecord.Patched(_, ChunkImage image, _) -> copied(image, position);
      case JournalRecord.Answered _ -> List.of();
    };
  }

  private List<Entry> copied(ChunkImage image, long position) {
    imageAt(position);
    copyState.copied(image.id(), image.version());
    return List.of();
  }

  private List<Entry> replayPrepared(JournalRecord.Prepared prepared, long position) {
    List<Entry> redo =
        new ArrayList<>(commitTo(Math.min(prepared.commitIndex(), prepared.n() - 1)));
    lowerTo(prepared.n() - 1);
    if (prepared.n() > lastN() + 1) {
      reset(prepared.view(), prepared.n() - 1);
    }
    Version version = new Version(prepared.view(), prepared.n());
    put(new Entry(pg, version, prepared.operation(), prepared.mutation(), position));
    return redo;
  }

  /**
   * What was taken for committed, for the journal began amid a suffix, was not: nothing is prepared
   * or truncated at or below the commit index. Of such writes later records follow, or a
   * truncation.
   */
  private void lowerTo(long n) {
    commitIndex = Math.min(commitIndex, n);
  }

  private void forget(@org.jspecify.annotations.Nullable Entry entry) {
    if (entry != null) {
      suffixBytes -= entry.mutation().bytes();
      uncommittedOfChunk.computeIfPresent(
          entry.mutation().chunk(), (_, count) -> count == 1 ? null : count - 1);
      uncommittedOperations.remove(entry.operation(), entry);
    }
  }

  /**
   * Order in which members of a stopped group are preferred: who wrote in the newest view, then who
   * holds more.
   */
  public static final Comparator<Version> BY_VIEW_THEN_NUMBER =
      Comparator.comparingLong(Version::view).thenComparingLong(Version::n);
}
