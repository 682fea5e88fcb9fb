package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Failures;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;
import org.trefoilfs.replication.transport.LocalIdentity;

/**
 * The server's end of a socket: shakes hands on the accepting thread, moves to its lane's, and
 * serves there. Used by one thread at a time.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close ends in channelInactive
final class ServerConnection extends ChannelInboundHandlerAdapter {
  private static final Logger log = LoggerFactory.getLogger(ServerConnection.class);

  /** Whoever connects and says nothing is let go. */
  private static final long HELLO_MS_MAX = 5_000;

  /** Time for a peer to read why it is turned away; a reset would take the reason from it. */
  private static final long LINGER_MS = 250;

  /** As {@link ClientHandler} waits. */
  private static final int SILENCES_MAX = 3;

  private final ServerShared shared;
  private final LaneLoops loops;
  private final FrameAssembler assembler = new FrameAssembler(this::received, this::admits);
  private @Nullable ChannelHandlerContext context;
  private @Nullable Future<?> deadline;
  private @Nullable ServerRequests requests;
  private @Nullable Future<?> watch;
  private boolean greeted;

  /** Something came since the last look. */
  private boolean heard;

  private int silences;

  ServerConnection(ServerShared shared, LaneLoops loops) {
    this.shared = shared;
    this.loops = loops;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    deadline = ctx.executor().schedule(() -> ctx.close(), HELLO_MS_MAX, TimeUnit.MILLISECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    heard = true;
    try {
      assembler.feed(bytes);
      watch(ctx);
    } catch (TrefoilException e) {
      turnAway(ctx, e);
    } finally {
      bytes.release();
    }
  }

  /** Whether the payload may come. Until then nothing more of the connection is read. */
  private FrameAssembler.Verdict admits(FrameHeader header) {
    ServerRequests serving = requests;
    return serving == null || !serving.accepts(header)
        ? FrameAssembler.Verdict.READ
        : serving.admits(header);
  }

  /**
   * Half a request has the room of a whole one: a peer that stops in the middle is not waited for
   * longer than one that does not answer.
   */
  private void watch(ChannelHandlerContext ctx) {
    if (watch == null && requests != null && assembler.isMidway()) {
      silences = 0;
      long everyNs = shared.options().silence().toNanos();
      watch =
          ctx.executor()
              .scheduleWithFixedDelay(() -> look(ctx), everyNs, everyNs, TimeUnit.NANOSECONDS);
    }
  }

  /** Counts only while we read, and each turn of the loop has read what there was. */
  private void look(ChannelHandlerContext ctx) {
    if (!assembler.isMidway()) {
      stopWatch();
    } else if (heard || !ctx.channel().config().isAutoRead()) {
      silences = 0;
      heard = false;
    } else if (++silences > SILENCES_MAX) {
      stopWatch();
      turnAway(
          ctx,
          new TrefoilException(Reason.UNAVAILABLE, "the rest of a request did not come in time"));
    }
  }

  private void stopWatch() {
    if (watch != null) {
      watch.cancel(false);
      watch = null;
    }
  }

  /** There is room for what was held back. On the event loop. */
  private void resume() {
    heard = true;
    try {
      assembler.resume();
      if (context != null) {
        watch(context);
      }
    } catch (TrefoilException e) {
      if (context != null) {
        turnAway(context, e);
      }
    }
  }

  private void received(Frame frame) {
    ServerRequests serving = requests;
    if (serving != null && serving.accepts(frame.header())) {
      serving.received(frame);
    } else if (!greeted && context != null && frame.header().type() == FrameHeader.TYPE_HELLO) {
      greeted = true;
      greet(context, Hello.decode(frame.payload()));
    } else {
      throw new TrefoilException(
          Reason.INVALID,
          "malformed frame: type "
              + frame.header().type()
              + " with flags "
              + frame.header().flags()
              + " is not expected here");
    }
  }

  private void greet(ChannelHandlerContext ctx, Hello hello) {
    LocalIdentity own = shared.identity().get();
    TrefoilException refusal = hello.refusalBy(own).orElse(null);
    if (refusal != null) {
      turnAway(ctx, refusal);
      return;
    }
    log.debug("{} is {} of version {}", ctx.channel(), hello.identity(), hello.software());
    if (deadline != null) {
      deadline.cancel(false);
    }
    Hello answer = Hello.of(own, hello.lane());
    moveTo(ctx.channel(), loops.next(hello.lane()), answer);
  }

  /**
   * Nothing can be under way meanwhile: reading is off, and the peer waits for our hello before it
   * says more.
   */
  private void moveTo(Channel channel, EventLoop lane, Hello answer) {
    channel.config().setAutoRead(false);
    channel
        .deregister()
        .addListener(
            _ ->
                lane.register(channel)
                    .addListener(
                        moved -> {
                          if (moved.isSuccess()) {
                            serve(channel, answer);
                          } else {
                            channel.unsafe().closeForcibly();
                          }
                        }));
  }

  private void serve(Channel channel, Hello answer) {
    ServerRequests serving = new ServerRequests(channel, shared, answer.lane(), this::resume);
    requests = serving;
    assembler.trust();
    channel.writeAndFlush(FrameWriter.hello(answer), channel.voidPromise());
    serving.open();
  }

  /** Says why, once, and closes. What still arrives is thrown away. */
  private void turnAway(ChannelHandlerContext ctx, TrefoilException why) {
    assembler.stop();
    String peer = Sockets.peerOf(ctx.channel());
    shared.peerLog().warn(peer, "closing a connection from", String.valueOf(why.getMessage()));
    if (requests != null) {
      requests.writable(); // what was answered before goes first
    }
    ByteBuf last =
        FrameWriter.message(
            Failures.toMessage(why), 0, FrameHeader.FLAG_REPLY, FrameWriter.Compress.NO);
    ctx.writeAndFlush(last, ctx.voidPromise());
    ctx.executor().schedule(() -> ctx.close(), LINGER_MS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (requests != null) {
      requests.writable();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (deadline != null) {
      deadline.cancel(false);
    }
    stopWatch();
    assembler.stop();
    if (requests != null) {
      requests.close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof IOException) {
      log.debug("connection from {} broke: {}", ctx.channel().remoteAddress(), cause.getMessage());
    } else {
      log.error("closing the connection from {}", ctx.channel().remoteAddress(), cause);
    }
    ctx.close();
  }
}
