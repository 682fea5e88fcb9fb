package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Failures;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.MessageCodec;
import org.trefoilfs.replication.transport.MessageType;

/** The client's end of a socket: says hello, takes answers, notices silence. */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close ends in channelInactive
final class ClientHandler extends ChannelInboundHandlerAdapter {
  /** Silences in a row after which the peer is given up. */
  private static final int SILENCES_MAX = 3;

  private final ClientConnection connection;
  private final ClientShared shared;
  private final long silenceNs;
  private final FrameAssembler assembler = new FrameAssembler(this::received);
  private @Nullable ChannelHandlerContext context;
  private @Nullable ScheduledFuture<?> watch;
  private boolean greeted;
  private long lastSignNs;

  ClientHandler(ClientConnection connection, ClientShared shared) {
    this.connection = connection;
    this.shared = shared;
    this.silenceNs = shared.options().silence().toNanos();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    context = ctx;
    Hello hello = Hello.of(shared.identity(), connection.peer().lane());
    ctx.writeAndFlush(FrameWriter.hello(hello), ctx.voidPromise());
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    lastSignNs = System.nanoTime();
    try {
      assembler.feed(bytes);
    } catch (TrefoilException e) {
      malformed(e);
    } finally {
      bytes.release();
    }
  }

  private void received(Frame frame) {
    int type = frame.header().type();
    if (type == FrameHeader.TYPE_PONG) {
      return;
    }
    if (type == MessageType.FAILED.code() && frame.header().requestId() == 0) {
      turnedAway(frame);
    } else if (!greeted && type == FrameHeader.TYPE_HELLO) {
      greeted(Hello.decode(frame.payload()));
    } else if (greeted && frame.header().has(FrameHeader.FLAG_REPLY)) {
      connection.answered(frame);
    } else {
      throw new TrefoilException(
          Reason.INVALID, "malformed frame: type " + type + " is not expected here");
    }
  }

  private void greeted(Hello hello) {
    ChannelHandlerContext ctx = context;
    TrefoilException refusal = hello.refusalBy(shared.identity()).orElse(null);
    // Without a cluster of our own we take the peer's word: that is how a newcomer joins.
    if (ctx == null || (refusal != null && refusal.reason() == Reason.REFUSED)) {
      assembler.stop();
      connection.fail(
          refusal == null ? new TrefoilException(Reason.UNAVAILABLE, "closed") : refusal);
      return;
    }
    greeted = true;
    assembler.trust();
    watch =
        ctx.executor()
            .scheduleAtFixedRate(
                () -> watchSilence(ctx), silenceNs / 2, silenceNs / 2, TimeUnit.NANOSECONDS);
    connection.ready(ctx.channel());
  }

  private void turnedAway(Frame frame) {
    assembler.stop();
    Message answer = MessageCodec.decode(frame.header().type(), frame.payload());
    TrefoilException why = Failures.toException((Message.Failed) answer);
    String told = connection.peer() + " closed the connection: " + why.getMessage();
    shared.peerLog().warn(connection.peer().toString(), "turned away by", why.getMessage() + "");
    connection.fail(new TrefoilException(why.reason(), told));
  }

  private void malformed(TrefoilException why) {
    assembler.stop();
    shared
        .peerLog()
        .warn(connection.peer().toString(), "closing the connection to", why.getMessage() + "");
    connection.fail(
        new TrefoilException(why.reason(), connection.peer() + ": " + why.getMessage(), why));
  }

  private void watchSilence(ChannelHandlerContext ctx) {
    long nowNs = System.nanoTime();
    if (!connection.isWaiting()) {
      lastSignNs = nowNs;
    } else if (nowNs - lastSignNs > SILENCES_MAX * silenceNs) {
      connection.fail(
          new TrefoilException(
              Reason.UNAVAILABLE,
              connection.peer()
                  + " has been silent for "
                  + TimeUnit.NANOSECONDS.toMillis(nowNs - lastSignNs)
                  + " ms"));
    } else if (nowNs - lastSignNs > silenceNs) {
      ctx.writeAndFlush(FrameWriter.signal(FrameHeader.TYPE_PING), ctx.voidPromise());
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    connection.writable();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (watch != null) {
      watch.cancel(false);
    }
    connection.fail(
        new TrefoilException(
            Reason.UNAVAILABLE, "the connection to " + connection.peer() + " broke"));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    connection.fail(
        new TrefoilException(
            Reason.UNAVAILABLE,
            "the connection to " + connection.peer() + " broke: " + cause.getMessage(),
            cause));
  }
}
