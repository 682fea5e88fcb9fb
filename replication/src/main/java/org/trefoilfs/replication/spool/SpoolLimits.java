package org.trefoilfs.replication.spool;

import java.time.Duration;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * What a mounting host may lose at most: its recovery point objective. No write is acknowledged
 * while the oldest that the replicas do not hold is older than {@code age}, or when more than
 * {@code bytes} would be waiting.
 */
public record SpoolLimits(Duration age, long bytes) {
  private static final Duration LEAST_AGE = Duration.ofMillis(100);
  private static final Duration MOST_AGE = Duration.ofHours(1);
  private static final long LEAST_BYTES = 1L << 20;
  private static final long MOST_BYTES = 1L << 30;

  public static final SpoolLimits DEFAULT = new SpoolLimits(Duration.ofSeconds(2), 64L << 20);

  /** Bytes of an encoded one. */
  public static final int ENCODED_BYTES = 16;

  public SpoolLimits {
    if (age.compareTo(LEAST_AGE) < 0 || age.compareTo(MOST_AGE) > 0) {
      throw new TrefoilException(
          Reason.INVALID, "an RPO of " + age.toMillis() + " ms is not between 100 ms and 1 h");
    }
    if (bytes < LEAST_BYTES || bytes > MOST_BYTES) {
      throw new TrefoilException(
          Reason.INVALID, "an RPO of " + bytes + " bytes is not between 1 MiB and 1 GiB");
    }
  }

  /** The same, of no more bytes than that, and of the least that is allowed at least. */
  public SpoolLimits within(long most) {
    return most >= bytes ? this : new SpoolLimits(age, Math.max(LEAST_BYTES, most));
  }

  public void writeTo(ByteWriter out) {
    out.i64(age.toMillis()).i64(bytes);
  }

  public static SpoolLimits readFrom(ByteReader in) {
    return new SpoolLimits(Duration.ofMillis(in.i64()), in.i64());
  }
}
