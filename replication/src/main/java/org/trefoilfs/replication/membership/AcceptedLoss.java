package org.trefoilfs.replication.membership;

import java.util.ArrayList;
import java.util.List;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;

/**
 * An operator's choice to open groups without all of their in-sync members, as it was carried out.
 *
 * @param id the operator's command's own; several log entries may carry out one choice
 * @param epoch of the cluster after the last of these entries
 * @param atMillis when it was chosen, since 1970 by the clock of the host that was asked
 * @param operator who chose, in words
 * @param missing who was given up
 * @param opened what was opened
 */
public record AcceptedLoss(
    long id,
    long epoch,
    long atMillis,
    String operator,
    List<MissingHost> missing,
    List<OpenedGroup> opened) {
  /** A host that was given up, by the name that it had: it may be removed since. */
  public record MissingHost(HostId host, String name) {}

  /**
   * @param from its first primary, which held the last write that any reachable member held
   */
  public record OpenedGroup(int pg, HostId from) {
    /** Bytes of an encoded one. */
    static final int ENCODED_BYTES = 8;
  }

  public AcceptedLoss {
    missing = List.copyOf(missing);
    opened = List.copyOf(opened);
  }

  /** The same choice, carried further by another entry. */
  AcceptedLoss with(List<OpenedGroup> more, long newEpoch) {
    List<OpenedGroup> all = new ArrayList<>(opened);
    all.addAll(more);
    return new AcceptedLoss(id, newEpoch, atMillis, operator, missing, all);
  }

  public void writeTo(ByteWriter out) {
    out.i64(id).i64(epoch).i64(atMillis).string(operator);
    Lists.write(
        out,
        missing,
        (one, to) -> {
          one.host().writeTo(to);
          to.string(one.name());
        });
    Lists.write(
        out,
        opened,
        (one, to) -> {
          to.i32(one.pg());
          one.from().writeTo(to);
        });
  }

  public static AcceptedLoss readFrom(ByteReader in) {
    return new AcceptedLoss(
        in.i64(),
        in.i64(),
        in.i64(),
        in.string(),
        Lists.read(in, 4, each -> new MissingHost(HostId.readFrom(each), each.string())),
        Lists.read(
            in,
            OpenedGroup.ENCODED_BYTES,
            each -> new OpenedGroup(each.i32(), HostId.readFrom(each))));
  }
}
