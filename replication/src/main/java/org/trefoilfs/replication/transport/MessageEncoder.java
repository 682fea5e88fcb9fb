package org.trefoilfs.replication.transport;

import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.codec.ByteWriter;
import org.trefoilfs.replication.transport.Message.CatchUp;
import org.trefoilfs.replication.transport.Message.ChangedChunk;
import org.trefoilfs.replication.transport.Message.Commit;
import org.trefoilfs.replication.transport.Message.HostReport;

/** Writes the fields of each message in the order in which its record declares them. */
final class MessageEncoder {
  private MessageEncoder() {}

  // One case per record; splitting the switch would only hide that it is complete.
  static void encode(Message message, ByteWriter out) {
    switch (message) {
      case Message.Failed m -> out.i32(m.reason().code()).string(m.message()).string(m.hint());
      case Message.Done _ -> {}
      case Message.Write m -> {
        out.i32(m.pg()).i64(m.view()).i32(m.minInSync()).i64(m.session());
        m.operation().writeTo(out);
        m.mutation().writeTo(out);
      }
      case Message.Written m -> out.i64(m.view()).i64(m.n());
      case Message.Flush m -> views(m.viewOfGroup(), out);
      case Message.Read m -> {
        out.i32(m.pg()).i64(m.view());
        m.chunk().writeTo(out);
        out.i32(m.offset()).i32(m.length());
      }
      case Message.Data m -> out.blob(m.bytes());
      case Message.Prepare m -> {
        out.i32(m.pg()).i64(m.view()).i64(m.n()).i64(m.commitIndex());
        m.operation().writeTo(out);
        m.mutation().writeTo(out);
      }
      case Message.Prepared m -> out.i32(m.pg()).i64(m.view()).i64(m.n());
      case Message.NewView m ->
          out.i32(m.pg()).i64(m.view()).i64(m.commitIndex()).i64(m.lastN()).i64(m.attempt());
      case Message.Committed m -> commits(m.commits(), out);
      case Message.FlushBackup m -> views(m.viewOfGroup(), out);
      case Message.ListChunks m -> {
        out.i32(m.pg()).i64(m.view());
        m.after().writeTo(out);
      }
      case Message.ChunkList m -> {
        out.i64(m.commitIndex());
        each(m.chunks(), out, info -> info.writeTo(out));
        each(m.recent(), out, operation -> operation.writeTo(out));
        out.bool(m.more());
      }
      case Message.ListChanges m -> {
        m.base().writeTo(out.i32(m.pg()).i64(m.view()));
        each(m.reached(), out, version -> version.writeTo(out));
      }
      case Message.ChangeList m -> {
        out.bool(m.known()).i64(m.since());
        each(m.chunks(), out, chunk -> changed(chunk, out));
        each(m.recent(), out, operation -> operation.writeTo(out));
      }
      case Message.FetchBlocks m -> {
        m.chunk().writeTo(out.i32(m.pg()).i64(m.view()));
        m.blocks().writeTo(out.i64(m.since()));
      }
      case Message.Blocks m -> {
        m.blocks().writeTo(out);
        m.image().writeTo(out);
      }
      case Message.AskBlocks m -> each(m.chunks(), out, at -> at.chunk().writeTo(out.i32(at.pg())));
      case Message.BlockSets m -> each(m.sets(), out, blocks -> blocks.writeTo(out));
      case Message.FetchChunk m -> m.chunk().writeTo(out.i32(m.pg()));
      case Message.Chunk m -> m.image().writeTo(out);
      case Message.CaughtUp m ->
          out.i32(m.pg())
              .i64(m.view())
              .i32(m.host().value())
              .i64(m.incarnation())
              .i64(m.attempt())
              .i64(m.stable());
      case Message.AskGroups m -> each(m.groups(), out, out::i32);
      case Message.GroupReports m -> commits(m.lastOfGroup(), out);
      case Message.Heartbeat m -> {
        out.i32(m.host().value()).i64(m.incarnation()).i64(m.spaceTotal()).i64(m.spaceUsable());
        out.i64(m.fenced()).bool(m.stopping());
        catchUp(m.catchUp(), out);
      }
      case Message.HeartbeatReply m -> {
        out.bool(m.leased()).i64(m.mapEpoch());
        each(m.reports().entrySet(), out, e -> report(e.getValue(), out.i32(e.getKey().value())));
      }
      case Message.StateSubmit m -> out.u8(m.module()).blob(m.command());
      case Message.StateQuery m -> out.u8(m.module()).blob(m.query());
      case Message.StateReply m -> out.blob(m.reply());
      case Message.StateLease m ->
          out.u8(m.module()).i64(m.session()).bool(m.wanted()).blob(m.query());
      case Message.StateKeepLeases m -> out.blob(m.report());
      case Message.MapRequest m -> out.i64(m.epoch());
      case Message.MapReply m -> out.blob(m.delta());
      case Message.SessionPing m -> {
        m.window().writeTo(out.i64(m.session()).i64(m.orphanCursor()));
        each(m.ranges(), out, range -> range.writeTo(out));
      }
      case Message.Admin m -> out.string(m.verb()).blob(m.body());
      case Message.AdminReply m -> out.blob(m.body());
    }
  }

  private static void views(Map<Integer, Long> views, ByteWriter out) {
    each(views.entrySet(), out, e -> out.i32(e.getKey()).i64(e.getValue()));
  }

  private static void commits(Map<Integer, Commit> commits, ByteWriter out) {
    each(
        commits.entrySet(),
        out,
        e -> out.i32(e.getKey()).i64(e.getValue().view()).i64(e.getValue().n()));
  }

  private static void changed(ChangedChunk chunk, ByteWriter out) {
    chunk.id().writeTo(out);
    chunk.blocks().writeTo(out.i64(chunk.lastN()));
  }

  private static void report(HostReport report, ByteWriter out) {
    out.bool(report.alive()).i64(report.spaceTotal()).i64(report.spaceUsable());
    catchUp(report.catchUp(), out);
  }

  private static void catchUp(CatchUp progress, ByteWriter out) {
    CatchUp.Groups groups = progress.groups();
    out.i32(groups.left()).i32(groups.unlisted()).i32(groups.total());
    CatchUp.Bytes bytes = progress.bytes();
    out.i64(bytes.left()).i64(bytes.copied()).i64(bytes.changed());
    out.i64(progress.bytesPerSecond()).i64(progress.millis());
  }

  private static <T> void each(Collection<T> elements, ByteWriter out, Consumer<T> write) {
    if (elements.size() > MessageCodec.ELEMENTS_MAX) {
      throw new TrefoilException(
          Reason.TOO_LARGE,
          elements.size()
              + " elements do not fit a message of at most "
              + MessageCodec.ELEMENTS_MAX
              + "; send them in parts");
    }
    out.i32(elements.size());
    elements.forEach(write);
  }
}
