package org.trefoilfs.replication.journal;

import org.trefoilfs.replication.env.RandomSource;

/**
 * How a {@link SegmentedJournal} lays out its files.
 *
 * @param segmentBytes a segment is left for the next when a record no longer fits into it; a record
 *     that fits into none gets a longer one
 * @param spareSegments recycled segments kept at most; more are deleted
 * @param random draws each segment's generation, which no writer of data may foresee
 */
public record JournalOptions(int segmentBytes, int spareSegments, RandomSource random) {
  /** Some 0.1 s of a fast disk: rolling is rare, and an unreleased rest wastes little. */
  public static final int SEGMENT_BYTES = 64 << 20;

  /** What is usually in flight between two releases. */
  public static final int SPARE_SEGMENTS = 4;

  /** The largest record, a chunk's image, then gets a longer segment of its own. */
  private static final int SMALLEST_SEGMENT_BYTES = 4 << 20;

  /** A journal takes some dozen segments: a fifth of a small disk, and less of a large one. */
  private static final int SEGMENTS_OF_DISK = 64;

  public static JournalOptions standard(RandomSource random) {
    return new JournalOptions(SEGMENT_BYTES, SPARE_SEGMENTS, random);
  }

  /** Smaller segments on a small disk, which is there for data. */
  public static JournalOptions forDisk(long totalBytes, RandomSource random) {
    int segment =
        (int) Math.clamp(totalBytes / SEGMENTS_OF_DISK, SMALLEST_SEGMENT_BYTES, SEGMENT_BYTES);
    return new JournalOptions(segment, SPARE_SEGMENTS, random);
  }
}
