package org.trefoilfs.replication.membership;

import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;

/**
 * A mount that was evicted while it committed asynchronously: what it had last said of the writes
 * that the replicas did not hold. It may have acknowledged more since, within its volume's bounds;
 * its spool, if its host returns, knows exactly.
 *
 * @param mount who it was
 * @param epoch of the cluster at the eviction
 * @param atMillis when, since 1970 by the clock of the state log's leader
 * @param ranges of which files; not all if there were more than a ping carries
 */
public record LostSpool(
    SessionInfo mount, long epoch, long atMillis, SpoolWindow window, List<SpooledRange> ranges) {
  /** Bytes of an encoded one with empty texts. */
  static final int MIN_ENCODED_BYTES = 20 + 16 + SpoolWindow.ENCODED_BYTES + 4;

  public LostSpool {
    ranges = List.copyOf(ranges);
  }

  long session() {
    return mount.id();
  }

  public void writeTo(ByteWriter out) {
    mount.writeTo(out);
    window.writeTo(out.i64(epoch).i64(atMillis));
    Lists.write(out, ranges, SpooledRange::writeTo);
  }

  public static LostSpool readFrom(ByteReader in) {
    return new LostSpool(
        SessionInfo.readFrom(in),
        in.i64(),
        in.i64(),
        SpoolWindow.readFrom(in),
        Lists.read(in, SpooledRange.ENCODED_BYTES, SpooledRange::readFrom));
  }
}
