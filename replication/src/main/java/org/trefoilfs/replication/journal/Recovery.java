package org.trefoilfs.replication.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ObjLongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opening: replays the segments in order from the released position, stops at the first record that
 * is not whole, and makes sure that nothing behind it is ever seen again: segments behind are
 * erased, and the one it lies in is never written again; the next one's base says where it ends.
 */
final class Recovery {
  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);
  private final SegmentPool pool;
  private final long released;
  private final ObjLongConsumer<JournalRecord> replay;

  /** In use, in order. */
  final ArrayDeque<Segment> live = new ArrayDeque<>();

  private long lastSequence;
  private long position;
  private long records;
  private long bytes;
  private long dropped;
  private boolean damaged;

  Recovery(SegmentPool pool, long released, ObjLongConsumer<JournalRecord> replay) {
    this.pool = pool;
    this.released = released;
    this.replay = replay;
  }

  ReplayReport run() throws IOException {
    List<Segment> segments = sorted(pool.openAll());
    position = released;
    int last = replayAll(segments);
    for (int i = 0; i <= last; i++) {
      live.add(segments.get(i));
    }
    for (int i = segments.size() - 1; i > last; i--) {
      pool.erase(segments.get(i));
    }
    position = Math.max(position, released);
    trim();
    ReplayReport.Loss loss =
        damaged
            ? ReplayReport.Loss.DAMAGE
            : dropped > 0 ? ReplayReport.Loss.TORN_TAIL : ReplayReport.Loss.NONE;
    return new ReplayReport(records, bytes, position, dropped, loss);
  }

  long nextSequence() {
    return lastSequence + 1;
  }

  private List<Segment> sorted(List<Segment> all) throws IOException {
    List<Segment> segments = new ArrayList<>();
    for (Segment segment : all) {
      if (segment.isSpare()) {
        reportUnreadableHeader(segment);
        pool.giveBack(segment);
      } else {
        segments.add(segment);
      }
    }
    segments.sort(Comparator.comparingLong(segment -> segment.header().sequence()));
    if (!segments.isEmpty()) {
      lastSequence = segments.getLast().header().sequence();
    }
    return segments;
  }

  /**
   * A header lies within one sector, so a loss of power leaves the old or the new one, or zeros.
   */
  private void reportUnreadableHeader(Segment segment) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(SegmentHeader.BYTES);
    Segment.readFully(segment.channel, head, 0);
    if (!head.hasRemaining() && !head.flip().equals(ByteBuffer.allocate(SegmentHeader.BYTES))) {
      damaged = true;
      LOG.error("journal segment {} has a damaged header; its records are lost", segment.path);
    }
  }

  /** Index of the last segment that holds what is kept; -1 when there is none. */
  private int replayAll(List<Segment> segments) throws IOException {
    int i = startIndex(segments);
    while (i < segments.size()) {
      Segment segment = segments.get(i);
      boolean isLast = i + 1 == segments.size();
      long limit = isLast ? Long.MAX_VALUE : segments.get(i + 1).header().base();
      replaySegment(new SegmentReader(segment), limit);
      if (isLast || position != limit) {
        dropped += isLast ? 0 : limit - position;
        judgeRest(segments, i);
        return i;
      }
      i++;
    }
    return segments.size() - 1;
  }

  private int startIndex(List<Segment> segments) {
    if (segments.isEmpty() && released > 0) {
      damaged = true;
      LOG.error("journal: released up to {}, and no segment is there any more", released);
    }
    int start = 0;
    while (start + 1 < segments.size() && segments.get(start + 1).header().base() <= released) {
      start++;
    }
    if (!segments.isEmpty() && segments.get(start).header().base() > released) {
      damaged = true;
      position = segments.get(start).header().base();
      LOG.error(
          "journal: records from position {} to {} are missing before {}; fetch this host's groups"
              + " from others",
          released,
          position,
          segments.get(start).path);
    } else if (!segments.isEmpty()) {
      position = segments.get(start).header().base(); // what is released may end within a record
    }
    return start;
  }

  private void replaySegment(SegmentReader reader, long limit) throws IOException {
    while (position < limit) {
      SegmentReader.Found found = reader.at(position);
      if (found == null || found.end() > limit) {
        return;
      }
      if (found.end() > released) {
        replay.accept(RecordCodec.decode(found.payload()), found.end());
        records++;
        bytes += found.end() - position;
      }
      position = found.end();
    }
  }

  /**
   * Decides what the end of the replay means. Whatever lies behind it and knew of a stable position
   * beyond it proves that bytes were lost which an fsync had covered.
   */
  private void judgeRest(List<Segment> segments, int stoppedIn) throws IOException {
    SegmentReader reader = new SegmentReader(segments.get(stoppedIn));
    SegmentReader.Rest rest = reader.rest(position);
    long claim = rest.stableClaim();
    dropped = Math.max(dropped, Math.max(reader.tornBytes(position), rest.end() - position));
    for (Segment later : segments.subList(stoppedIn + 1, segments.size())) {
      SegmentReader.Rest records = new SegmentReader(later).rest(later.header().base());
      dropped += records.end() - later.header().base();
      claim = Math.max(claim, Math.max(later.header().stable(), records.stableClaim()));
    }
    damaged |= claim > position;
    report(segments.get(stoppedIn), claim);
  }

  private void report(Segment segment, long claim) {
    long offset = segment.offsetOf(position);
    if (claim > position) {
      LOG.error(
          "journal damaged: {} has no valid record at offset {} (position {}), though everything up"
              + " to position {} had been synced; dropped {} bytes behind it; check the disk, and"
              + " fetch this host's groups from others",
          segment.path,
          offset,
          position,
          claim,
          dropped);
    } else if (dropped > 0) {
      LOG.warn(
          "journal: torn record in {} at offset {} (position {}); dropped {} bytes that were never"
              + " synced",
          segment.path,
          offset,
          position,
          dropped);
    }
  }

  /** Gives back what holds nothing that is unreleased. */
  private void trim() throws IOException {
    while (!live.isEmpty() && live.getLast().header().base() == position) {
      pool.giveBack(live.removeLast());
    }
    while (!live.isEmpty() && endOfFirst() <= released) {
      pool.giveBack(live.removeFirst());
    }
  }

  private long endOfFirst() {
    return live.stream().skip(1).findFirst().map(next -> next.header().base()).orElse(position);
  }
}
