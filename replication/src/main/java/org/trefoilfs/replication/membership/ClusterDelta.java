package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PlacementMap;
import org.trefoilfs.replication.placement.PlacementTable;
import org.trefoilfs.replication.placement.Pools;

/**
 * The way from one epoch of the cluster to a later one, for those without a state log of their own.
 *
 * <pre>
 *   u8 format | string cluster id | i32 bits | i64 detection (ms) | i64 since | i64 epoch
 *   when epoch > since: hosts, volumes, sessions (all of them)
 *                       | groups changed, losses accepted, and spools lost, after since
 * </pre>
 */
public final class ClusterDelta {
  private static final int FORMAT = 1;

  private ClusterDelta() {}

  /** Small when the view is not newer than {@code since}: see {@link #isEmpty}. */
  static byte[] since(ClusterView view, long since) {
    ByteWriter out = new ByteWriter(1024);
    PlacementMap placement = view.placement();
    out.u8(FORMAT).string(view.clusterId()).i32(placement.bits());
    out.i64(view.detection().toMillis()).i64(since).i64(view.epoch());
    if (view.epoch() > since) {
      Lists.write(out, view.hosts().values(), HostInfo::writeTo);
      Lists.write(out, view.volumesById().values(), VolumeInfo::writeTo);
      Lists.write(out, view.sessions().values(), SessionInfo::writeTo);
      Lists.write(out, changed(placement, since), PgView::writeTo);
      List<AcceptedLoss> recent =
          view.losses().values().stream().filter(loss -> loss.epoch() > since).toList();
      Lists.write(out, recent, AcceptedLoss::writeTo);
      List<LostSpool> lost =
          view.lostSpools().values().stream().filter(spool -> spool.epoch() > since).toList();
      Lists.write(out, lost, LostSpool::writeTo);
    }
    return out.toBytes();
  }

  /** Whether there was nothing newer than what was asked for. */
  public static boolean isEmpty(byte[] delta) {
    Header header = Header.readFrom(new ByteReader(delta));
    return header.epoch <= header.since;
  }

  /**
   * The later view. The old one itself when the delta brings nothing newer.
   *
   * @throws TrefoilException STALE_VIEW when the delta starts after the old view: ask again from
   *     the old one's epoch; REFUSED when it is of another cluster; INVALID when malformed
   */
  public static ClusterView apply(ClusterView old, byte[] delta) {
    ByteReader in = new ByteReader(delta);
    Header header = Header.readFrom(in);
    if (!old.clusterId().isEmpty() && !old.clusterId().equals(header.clusterId)) {
      throw new TrefoilException(
          Reason.REFUSED,
          "the host answers for cluster "
              + header.clusterId
              + ", this mount is of cluster "
              + old.clusterId()
              + "; mount again with the addresses of the right cluster");
    }
    if (header.epoch <= old.epoch()) {
      return old;
    }
    if (header.since > old.epoch()) {
      throw new TrefoilException(
          Reason.STALE_VIEW,
          "changes from epoch " + header.since + " do not follow epoch " + old.epoch());
    }
    ClusterView view =
        ClusterView.of(
            header.clusterId,
            index(Lists.read(in, 4, HostInfo::readFrom), HostInfo::id),
            index(Lists.read(in, 4, VolumeInfo::readFrom), VolumeInfo::id),
            index(Lists.read(in, 8, SessionInfo::readFrom), SessionInfo::id),
            table(old, header).with(groups(in, header.bits), header.epoch));
    TreeMap<Long, AcceptedLoss> losses = new TreeMap<>(old.losses());
    losses.putAll(index(Lists.read(in, 32, AcceptedLoss::readFrom), AcceptedLoss::id));
    LossRules.trim(losses);
    TreeMap<Long, LostSpool> lost = new TreeMap<>(old.lostSpools());
    lost.putAll(
        index(
            Lists.read(in, LostSpool.MIN_ENCODED_BYTES, LostSpool::readFrom), LostSpool::session));
    VolumeRules.trim(lost);
    return view.with(losses, lost, header.detection);
  }

  private static Collection<PgView> changed(PlacementMap placement, long since) {
    return placement instanceof PlacementTable table
        ? table.changedSince(since)
        : placement.groups();
  }

  private static PlacementTable table(ClusterView old, Header header) {
    return old.placement() instanceof PlacementTable table && table.bits() == header.bits
        ? table
        : PlacementTable.empty(old.epoch(), header.bits);
  }

  private static List<PgView> groups(ByteReader in, int bits) {
    List<PgView> groups = Lists.read(in, PgView.MIN_ENCODED_BYTES, PgView::readFrom);
    for (PgView group : groups) {
      if (Pools.number(group.pg()) >= 1 << bits) {
        throw new TrefoilException(Reason.INVALID, "malformed record: group " + group.pg());
      }
    }
    return groups;
  }

  private static <K extends Comparable<K>, V> Map<K, V> index(List<V> rows, Function<V, K> key) {
    TreeMap<K, V> map = new TreeMap<>();
    rows.forEach(row -> map.put(key.apply(row), row));
    return map;
  }

  private record Header(String clusterId, int bits, Duration detection, long since, long epoch) {
    static Header readFrom(ByteReader in) {
      int format = in.u8();
      if (format != FORMAT) {
        throw new TrefoilException(
            Reason.REFUSED, "the host describes its cluster in format " + format + "; update");
      }
      Header header =
          new Header(in.string(), in.i32(), Duration.ofMillis(in.i64()), in.i64(), in.i64());
      if (header.bits < 0 || header.bits > Pools.MAX_BITS) {
        throw new TrefoilException(Reason.INVALID, "malformed record: 2^" + header.bits);
      }
      return header;
    }
  }
}
