package org.trefoilfs.replication.membership;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.codec.ByteReader;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.membership.ClusterCommand.Change;
import org.trefoilfs.replication.membership.ClusterCommand.ChangeViews;
import org.trefoilfs.replication.membership.ClusterCommand.Choice;
import org.trefoilfs.replication.membership.ClusterCommand.CloseSession;
import org.trefoilfs.replication.membership.ClusterCommand.CreateCluster;
import org.trefoilfs.replication.membership.ClusterCommand.CreatePool;
import org.trefoilfs.replication.membership.ClusterCommand.CreateVolume;
import org.trefoilfs.replication.membership.ClusterCommand.DeleteVolume;
import org.trefoilfs.replication.membership.ClusterCommand.EvictSession;
import org.trefoilfs.replication.membership.ClusterCommand.ForceReopen;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.OpenSession;
import org.trefoilfs.replication.membership.ClusterCommand.RegisterHost;
import org.trefoilfs.replication.membership.ClusterCommand.RemoveHost;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.membership.ClusterCommand.ReopenGroups;
import org.trefoilfs.replication.membership.ClusterCommand.SetHostState;
import org.trefoilfs.replication.membership.ClusterCommand.SetVolume;
import org.trefoilfs.replication.membership.ClusterCommand.VolumeGone;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.spool.SpoolLimits;
import org.trefoilfs.replication.spool.SpoolWindow;
import org.trefoilfs.replication.spool.SpooledRange;

/** A command's bytes: format (u8), kind (u8, never reused), fields in the order of the record. */
final class ClusterCommandCodec {
  private static final int FORMAT = 1;

  private ClusterCommandCodec() {}

  static byte[] encode(ClusterCommand command) {
    ByteWriter out = new ByteWriter().u8(FORMAT);
    switch (command) {
      case CreateCluster c ->
          out.u8(1).string(c.clusterId()).i32(c.bits()).i64(c.detection().toMillis());
      case RegisterHost c -> {
        out.u8(2).string(c.name());
        c.address().writeTo(out);
        c.raftAddress().writeTo(out);
        out.bool(c.witness()).i32(c.weight()).string(c.domain());
      }
      case HostStarted c -> {
        c.host().writeTo(out.u8(3));
        out.i64(c.incarnation());
        c.address().writeTo(out);
        c.raftAddress().writeTo(out);
        Lists.write(out, c.live(), Member::writeTo);
      }
      case ChangeViews c -> Lists.write(out.u8(5), c.changes(), ClusterCommandCodec::writeChange);
      case ReopenGroups c -> Lists.write(out.u8(18), c.groups(), ClusterCommandCodec::writeReopen);
      case ForceReopen c -> {
        Lists.write(out.u8(19), c.groups(), ClusterCommandCodec::writeReopen);
        writeChoice(c.choice(), out);
      }
      case CreatePool c -> Lists.write(out.u8(8).i32(c.replicas()), c.groups(), PgView::writeTo);
      case CreateVolume c -> {
        out.u8(9).string(c.name()).i32(c.replicas()).i32(c.minInSync());
        c.rpo().writeTo(out.u8(VolumeInfo.code(c.commit())));
      }
      case SetVolume c -> {
        out.u8(10).string(c.name()).i32(c.minInSync()).u8(VolumeInfo.code(c.commit()));
        c.rpo().writeTo(out);
      }
      case DeleteVolume c -> out.u8(11).string(c.name());
      case VolumeGone c -> out.u8(12).i32(c.id());
      case RemoveHost c -> c.host().writeTo(out.u8(13));
      case SetHostState c -> {
        c.host().writeTo(out.u8(14));
        out.u8(HostInfo.code(c.state()));
      }
      case OpenSession c ->
          out.u8(15).i64(c.session()).i32(c.volume()).string(c.host()).string(c.mountPoint());
      case CloseSession c -> out.u8(16).i64(c.session());
      case EvictSession c -> {
        c.window().writeTo(out.u8(20).i64(c.session()).i64(c.atMillis()));
        Lists.write(out, c.ranges(), SpooledRange::writeTo);
      }
      case HostsLost c -> Lists.write(out.u8(17).i64(c.asOf()), c.members(), Member::writeTo);
    }
    return out.toBytes();
  }

  static ClusterCommand decode(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int format = in.u8();
    if (format != FORMAT) {
      throw new TrefoilException(
          Reason.INVALID,
          "cluster command of format " + format + " is newer than this program; update this host");
    }
    int kind = in.u8();
    return switch (kind) {
      case 1 -> new CreateCluster(in.string(), in.i32(), Duration.ofMillis(in.i64()));
      case 2 ->
          new RegisterHost(
              in.string(),
              Address.readFrom(in),
              Address.readFrom(in),
              in.bool(),
              in.i32(),
              in.string());
      case 3 ->
          new HostStarted(
              HostId.readFrom(in),
              in.i64(),
              Address.readFrom(in),
              Address.readFrom(in),
              Set.copyOf(Lists.read(in, Member.ENCODED_BYTES, Member::readFrom)));
      case 5 -> new ChangeViews(readChanges(in));
      case 8 ->
          new CreatePool(in.i32(), Lists.read(in, PgView.MIN_ENCODED_BYTES, PgView::readFrom));
      case 9 ->
          new CreateVolume(
              in.string(),
              in.i32(),
              in.i32(),
              VolumeInfo.commitOf(in.u8()),
              SpoolLimits.readFrom(in));
      case 10 ->
          new SetVolume(
              in.string(), in.i32(), VolumeInfo.commitOf(in.u8()), SpoolLimits.readFrom(in));
      case 11 -> new DeleteVolume(in.string());
      case 12 -> new VolumeGone(in.i32());
      case 13 -> new RemoveHost(HostId.readFrom(in));
      case 14 -> new SetHostState(HostId.readFrom(in), HostInfo.stateOf(in.u8()));
      case 15 -> new OpenSession(in.i64(), in.i32(), in.string(), in.string());
      case 16 -> new CloseSession(in.i64());
      case 17 -> new HostsLost(in.i64(), Lists.read(in, Member.ENCODED_BYTES, Member::readFrom));
      case 18 -> new ReopenGroups(readReopens(in));
      case 19 -> new ForceReopen(readReopens(in), readChoice(in));
      case 20 ->
          new EvictSession(
              in.i64(),
              in.i64(),
              SpoolWindow.readFrom(in),
              Lists.read(in, SpooledRange.ENCODED_BYTES, SpooledRange::readFrom));
      default ->
          throw new TrefoilException(Reason.INVALID, "unknown kind of cluster command " + kind);
    };
  }

  private static void writeChange(Change change, ByteWriter out) {
    out.i64(change.expectedView());
    change.next().writeTo(out);
  }

  private static List<Change> readChanges(ByteReader in) {
    return Lists.read(
        in, 8 + PgView.MIN_ENCODED_BYTES, each -> new Change(each.i64(), PgView.readFrom(each)));
  }

  private static void writeReopen(Reopen reopen, ByteWriter out) {
    out.i32(reopen.pg()).i64(reopen.expectedView());
    Lists.write(out, reopen.members(), Member::writeTo);
    Lists.write(out, reopen.joiners(), HostId::writeTo);
    out.bool(reopen.last().isPresent());
    reopen.last().ifPresent(last -> last.writeTo(out));
  }

  private static void writeChoice(Choice choice, ByteWriter out) {
    out.i64(choice.id()).i64(choice.atMillis()).string(choice.operator());
    Lists.write(out, choice.missing(), HostId::writeTo);
  }

  private static Choice readChoice(ByteReader in) {
    return new Choice(in.i64(), in.i64(), in.string(), Lists.read(in, 4, HostId::readFrom));
  }

  private static List<Reopen> readReopens(ByteReader in) {
    return Lists.read(
        in,
        4 + 8 + 4 + 4 + 1,
        each ->
            new Reopen(
                each.i32(),
                each.i64(),
                Lists.read(each, Member.ENCODED_BYTES, Member::readFrom),
                Lists.read(each, 4, HostId::readFrom),
                each.bool() ? Optional.of(Version.readFrom(each)) : Optional.empty()));
  }
}
