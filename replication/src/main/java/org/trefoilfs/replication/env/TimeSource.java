package org.trefoilfs.replication.env;

/** The clock port. Only shells and composition roots may use the real one. */
public interface TimeSource {
  /** Monotonic nanoseconds from an arbitrary origin; for durations and leases. */
  long nanoTime();

  /** Wall clock, nanoseconds since the Unix epoch; for timestamps that users see. */
  long wallNanos();
}
