package org.trefoilfs.replication.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Reads the records of one segment. */
final class SegmentReader {
  private static final int SCAN_BYTES = 1 << 20;
  private final Segment segment;
  private final long generation;
  private final long size;

  SegmentReader(Segment segment) throws IOException {
    this.segment = segment;
    this.generation = segment.header().generation();
    this.size = segment.channel.size();
  }

  /** A valid record: its frame, its payload, and the position of its end. */
  record Found(RecordFrame frame, ByteBuffer payload, long end) {}

  /** What a scan behind the last good record found. */
  record Rest(long stableClaim, long end) {}

  /** The record that starts at the position; null when there is no valid one. */
  @Nullable Found at(long position) throws IOException {
    RecordFrame frame = frameAt(position);
    if (frame == null || !frame.isPlausible(generation)) {
      return null;
    }
    long offset = segment.offsetOf(position) + RecordFrame.BYTES;
    if (offset + frame.length() > size) {
      return null;
    }
    ByteBuffer payload = ByteBuffer.allocate(frame.length());
    Segment.readFully(segment.channel, payload, offset);
    payload.flip();
    if (payload.remaining() < frame.length() || !frame.matches(payload)) {
      return null;
    }
    return new Found(frame, payload, position + RecordFrame.padded(frame.length()));
  }

  /** Bytes at the position that look like a record begun and not finished. */
  long tornBytes(long position) throws IOException {
    long left = Math.max(0, size - segment.offsetOf(position));
    RecordFrame frame = frameAt(position);
    if (frame == null) {
      return left;
    }
    return frame.isPlausible(generation) ? Math.min(left, RecordFrame.padded(frame.length())) : 0;
  }

  /**
   * Looks for valid records behind a bad one: what the last of them claims to be stable, and where
   * it ends. A loss of power may leave such records, but none that claims the bad one.
   */
  Rest rest(long position) throws IOException {
    Rest rest = new Rest(0, position);
    ByteBuffer window = ByteBuffer.allocate(SCAN_BYTES + RecordFrame.BYTES);
    long from = position;
    while (segment.offsetOf(from) + RecordFrame.BYTES <= size) {
      window.clear();
      Segment.readFully(segment.channel, window, segment.offsetOf(from));
      window.flip();
      rest = scan(window, from, rest);
      from += SCAN_BYTES;
    }
    return rest;
  }

  private Rest scan(ByteBuffer window, long from, Rest soFar) throws IOException {
    Rest rest = soFar;
    int last = Math.min(SCAN_BYTES, window.limit() - RecordFrame.BYTES + 1);
    for (int i = 0; i < last; i += RecordFrame.ALIGN) {
      if (window.getLong(i + 8) != generation || from + i < rest.end()) {
        continue;
      }
      Found found = at(from + i);
      if (found != null) {
        rest = new Rest(Math.max(rest.stableClaim(), found.frame().stable()), found.end());
      }
    }
    return rest;
  }

  private @Nullable RecordFrame frameAt(long position) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(RecordFrame.BYTES);
    Segment.readFully(segment.channel, head, segment.offsetOf(position));
    return head.hasRemaining() ? null : RecordFrame.readFrom(head.flip());
  }
}
