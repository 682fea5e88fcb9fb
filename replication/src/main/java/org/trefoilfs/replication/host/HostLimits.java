package org.trefoilfs.replication.host;

/** Limits of a host, each with its reason. */
final class HostLimits {
  /**
   * Beyond a replica's own reserve, this much must be free before a write is taken: what other
   * writers may use up between two heartbeats (250 ms) that report free space.
   */
  static final long SPACE_MARGIN_BYTES = 16L << 20;

  /** Groups that ask at once what they are to copy: they wait for their primaries' answers. */
  static final int CONCURRENT_LISTINGS = 64;

  /** Groups that copy at once, a chunk at a time each: up to 4 MiB in memory on both sides. */
  static final int CONCURRENT_FETCHES = 8;

  /**
   * The journal's records are brought into chunks, and their segments recycled, beyond so many
   * segments: 256 MiB on all but small disks.
   */
  static final int CHECKPOINT_SEGMENTS = 4;

  /** With so many segments unreleased writers wait for the checkpoint: a bounded journal. */
  static final int UNRELEASED_SEGMENTS = 2 * CHECKPOINT_SEGMENTS;

  private HostLimits() {}
}
