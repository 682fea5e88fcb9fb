package org.trefoilfs.replication.statelog.lease;

import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * What a session is told of its leases.
 *
 * @param generation of its leases; another than before: it has none of the earlier ones
 * @param renewed whether they go on for {@link ReadLeases#TERM} from when the report was sent
 * @param revoked what it is to forget, and to say that it has
 */
public record LeaseNews(long generation, boolean renewed, List<Revocation> revoked) {
  /** A key that somebody waits for; told again until it is acknowledged. */
  public record Revocation(long number, long key) {}

  public LeaseNews {
    revoked = List.copyOf(revoked);
  }

  public byte[] toBytes() {
    ByteWriter out = new ByteWriter().i64(generation).bool(renewed).i32(revoked.size());
    revoked.forEach(one -> out.i64(one.number).i64(one.key));
    return out.toBytes();
  }

  public static LeaseNews of(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    long generation = in.i64();
    boolean renewed = in.bool();
    List<Revocation> revoked = new ArrayList<>();
    for (int left = in.count(16); left > 0; left--) {
      revoked.add(new Revocation(in.i64(), in.i64()));
    }
    return new LeaseNews(generation, renewed, revoked);
  }
}
