package org.trefoilfs.replication.statelog.lease;

import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * A session asks that its leases go on.
 *
 * @param generation as {@link LeaseNews} said last; 0 at first
 * @param number of the report among those of the session: one may come after a later one
 * @param oldestPending as in {@link Change}
 * @param acknowledged numbers of {@link LeaseNews.Revocation}s whose keys it has forgotten
 * @param released keys that it has forgotten by itself
 */
public record LeaseReport(
    long session,
    long generation,
    long number,
    long oldestPending,
    List<Long> acknowledged,
    List<Long> released) {
  public LeaseReport {
    acknowledged = List.copyOf(acknowledged);
    released = List.copyOf(released);
  }

  public byte[] toBytes() {
    ByteWriter out = new ByteWriter().i64(session).i64(generation);
    out.i64(number).i64(oldestPending);
    write(out, acknowledged);
    write(out, released);
    return out.toBytes();
  }

  public static LeaseReport of(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    return new LeaseReport(in.i64(), in.i64(), in.i64(), in.i64(), numbers(in), numbers(in));
  }

  private static void write(ByteWriter out, List<Long> numbers) {
    out.i32(numbers.size());
    numbers.forEach(out::i64);
  }

  private static List<Long> numbers(ByteReader in) {
    Long[] numbers = new Long[in.count(Long.BYTES)];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = in.i64();
    }
    return List.of(numbers);
  }
}
