package org.trefoilfs.replication.statelog;

import org.jspecify.annotations.Nullable;

/** A consistent, ordered view of a state module's keys (unsigned byte order). */
public interface KeyValueReader {
  byte @Nullable [] get(byte[] key);

  /**
   * Visits keys that start with {@code prefix}, from {@code from} (inclusive; at least the prefix)
   * upwards, until the visitor says stop.
   */
  void scan(byte[] prefix, byte[] from, Visitor visitor);

  /**
   * The query's answer depends on this, which sessions may lease: a number that the module's
   * commands give to the same rows ({@link KeyValue#changes}).
   */
  default void reads(long lease) {}

  /** Sees a key (whole, with its prefix) and its value. */
  @FunctionalInterface
  interface Visitor {
    /** Whether to go on. */
    boolean visit(byte[] key, byte[] value);
  }
}
