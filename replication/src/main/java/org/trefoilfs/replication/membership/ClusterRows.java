package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PlacementTable;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.statelog.KeyValue;
import org.trefoilfs.replication.statelog.KeyValueReader;

/**
 * The cluster as rows. Every value opens with its format.
 *
 * <pre>
 *   'c'               cluster id, bits, epoch, next host, next volume, detection in ms
 *   'h' i32 id        HostInfo
 *   'v' i32 id        VolumeInfo
 *   's' i64 id        SessionInfo
 *   'l' i64 id        AcceptedLoss
 *   'e' i64 session   LostSpool
 *   'g' i32 group     i64 epoch of its last change, PgView
 * </pre>
 */
final class ClusterRows {
  private static final int FORMAT = 1;
  private static final byte[] CLUSTER = {'c'};

  private ClusterRows() {}

  /** The epoch of the rows; 0 when there are none. */
  static long epoch(KeyValueReader rows) {
    byte[] row = rows.get(CLUSTER);
    return row == null ? 0 : Cluster.readFrom(open(row)).epoch;
  }

  /** Writes what differs between the two states. */
  static void write(KeyValue rows, ClusterState before, ClusterState after) {
    if (before.epoch() == after.epoch()) {
      return;
    }
    ClusterView old = before.view();
    ClusterView now = after.view();
    rows.put(CLUSTER, Cluster.of(after).toRow());
    diff(rows, old.hosts(), now.hosts(), id -> key('h', id.value()), HostInfo::writeTo);
    diff(rows, old.volumesById(), now.volumesById(), id -> key('v', id), VolumeInfo::writeTo);
    diff(rows, old.sessions(), now.sessions(), id -> key('s', id), SessionInfo::writeTo);
    diff(rows, old.losses(), now.losses(), id -> key('l', id), AcceptedLoss::writeTo);
    diff(rows, old.lostSpools(), now.lostSpools(), id -> key('e', id), LostSpool::writeTo);
    for (PgView group : after.table().changedSince(before.epoch())) {
      ByteWriter row = row().i64(after.epoch());
      group.writeTo(row);
      rows.put(key('g', group.pg()), row.toBytes());
    }
  }

  static ClusterState read(KeyValueReader rows) {
    byte[] first = rows.get(CLUSTER);
    if (first == null) {
      return ClusterState.EMPTY;
    }
    Cluster cluster = Cluster.readFrom(open(first));
    PlacementTable.Builder builder =
        new PlacementTable.Builder(PlacementTable.empty(0, cluster.bits));
    each(rows, 'g', in -> putGroup(builder, in));
    PlacementTable table = builder.build(cluster.epoch);
    TreeMap<HostId, HostInfo> hosts = new TreeMap<>();
    TreeMap<Integer, VolumeInfo> volumes = new TreeMap<>();
    TreeMap<Long, SessionInfo> sessions = new TreeMap<>();
    TreeMap<Long, AcceptedLoss> losses = new TreeMap<>();
    each(
        rows,
        'h',
        in -> {
          HostInfo row = HostInfo.readFrom(in);
          hosts.put(row.id(), row);
        });
    each(
        rows,
        'v',
        in -> {
          VolumeInfo row = VolumeInfo.readFrom(in);
          volumes.put(row.id(), row);
        });
    each(
        rows,
        's',
        in -> {
          SessionInfo row = SessionInfo.readFrom(in);
          sessions.put(row.id(), row);
        });
    each(
        rows,
        'l',
        in -> {
          AcceptedLoss row = AcceptedLoss.readFrom(in);
          losses.put(row.id(), row);
        });
    TreeMap<Long, LostSpool> lostSpools = new TreeMap<>();
    each(
        rows,
        'e',
        in -> {
          LostSpool row = LostSpool.readFrom(in);
          lostSpools.put(row.session(), row);
        });
    return new ClusterState(
        ClusterView.of(cluster.id, hosts, volumes, sessions, table)
            .with(losses, lostSpools, cluster.detection),
        table,
        cluster.nextHost,
        cluster.nextVolume);
  }

  private static void putGroup(PlacementTable.Builder builder, ByteReader in) {
    long changed = in.i64();
    builder.put(PgView.readFrom(in), changed);
  }

  private static <K, V> void diff(
      KeyValue rows,
      Map<K, V> old,
      Map<K, V> now,
      Function<K, byte[]> key,
      BiConsumer<V, ByteWriter> writeOne) {
    for (K id : old.keySet()) {
      if (!now.containsKey(id)) {
        rows.delete(key.apply(id));
      }
    }
    now.forEach(
        (id, value) -> {
          if (!value.equals(old.get(id))) {
            ByteWriter row = row();
            writeOne.accept(value, row);
            rows.put(key.apply(id), row.toBytes());
          }
        });
  }

  private static void each(KeyValueReader rows, char kind, Consumer<ByteReader> read) {
    byte[] prefix = {(byte) kind};
    rows.scan(
        prefix,
        prefix,
        (key, value) -> {
          read.accept(open(value));
          return true;
        });
  }

  private static ByteReader open(byte[] row) {
    if (row.length == 0 || row[0] != FORMAT) {
      throw new TrefoilException(
          Reason.INVALID,
          "a row of the cluster's state has a format that this program does not know ("
              + (row.length == 0 ? "empty" : row[0])
              + "); update this host");
    }
    return new ByteReader(Arrays.copyOfRange(row, 1, row.length));
  }

  private static ByteWriter row() {
    return new ByteWriter().u8(FORMAT);
  }

  private static byte[] key(char kind, int id) {
    return new ByteWriter(16).u8(kind).i32(id).toBytes();
  }

  private static byte[] key(char kind, long id) {
    return new ByteWriter(16).u8(kind).i64(id).toBytes();
  }

  private record Cluster(
      String id, int bits, long epoch, int nextHost, int nextVolume, Duration detection) {
    static Cluster of(ClusterState state) {
      return new Cluster(
          state.view().clusterId(),
          state.table().bits(),
          state.epoch(),
          state.nextHost(),
          state.nextVolume(),
          state.view().detection());
    }

    byte[] toRow() {
      ByteWriter row = row().string(id).i32(bits).i64(epoch).i32(nextHost).i32(nextVolume);
      return row.i64(detection.toMillis()).toBytes();
    }

    static Cluster readFrom(ByteReader in) {
      Cluster cluster =
          new Cluster(
              in.string(), in.i32(), in.i64(), in.i32(), in.i32(), Duration.ofMillis(in.i64()));
      if (cluster.bits < 0 || cluster.bits > Pools.MAX_BITS) {
        throw new TrefoilException(Reason.INVALID, "malformed record: 2^" + cluster.bits);
      }
      return cluster;
    }
  }
}
