package org.trefoilfs.replication.membership;

import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.placement.PgView;

/** What became of the change of one group. */
public sealed interface ChangeResult {
  /** The group's view after the command. */
  PgView view();

  record Applied(PgView view) implements ChangeResult {}

  /**
   * Nothing was done: the group is in another view than expected, or a host that the change relies
   * on is not up any more. {@code view} is what holds; look again.
   */
  record Refused(PgView view) implements ChangeResult {}

  static byte[] encode(List<ChangeResult> results) {
    ByteWriter out = new ByteWriter();
    Lists.write(
        out,
        results,
        (result, to) -> {
          to.bool(result instanceof Applied);
          result.view().writeTo(to);
        });
    return out.toBytes();
  }

  static List<ChangeResult> decode(byte[] bytes) {
    return Lists.read(
        new ByteReader(bytes),
        1 + PgView.MIN_ENCODED_BYTES,
        in -> in.bool() ? new Applied(PgView.readFrom(in)) : new Refused(PgView.readFrom(in)));
  }
}
