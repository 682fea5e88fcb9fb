package org.trefoilfs.tools.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What a server's connections have in common, whatever kind of socket they come by. */
final class HttpConnections extends ChannelInitializer<Channel> {
  /** A request is a few lines of JSON, if it has a body at all. */
  private static final int MAX_BODY_BYTES = 1 << 20;

  /** Some dozens of programs ask at a time. */
  private static final int MAX_CONNECTIONS = 256;

  private final ChannelGroup open;
  private final HttpHandler handler;
  private final Duration silence;

  /**
   * @param silence after which a connection that asks nothing is closed; zero: never
   */
  HttpConnections(EventLoopGroup loop, HttpHandler handler, Duration silence) {
    this.open = new DefaultChannelGroup(loop.next());
    this.handler = handler;
    this.silence = silence;
  }

  static EventLoopGroup loop() {
    return new MultiThreadIoEventLoopGroup(
        1, new DefaultThreadFactory("http", true), NioIoHandler.newFactory());
  }

  static void shutDown(EventLoopGroup loop) {
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  @Override
  protected void initChannel(Channel connection) {
    if (open.size() >= MAX_CONNECTIONS) {
      connection.close();
      return;
    }
    open.add(connection);
    // One request of a connection at a time: answers go out in the order of the requests.
    connection.config().setAutoRead(false);
    if (!silence.isZero()) {
      connection
          .pipeline()
          .addLast(new ReadTimeoutHandler(silence.toMillis(), TimeUnit.MILLISECONDS));
    }
    connection
        .pipeline()
        .addLast(new HttpServerCodec())
        // Below the aggregator: above it, a part of a request would count as what was asked for.
        .addLast(new FlowControlHandler())
        .addLast(new HttpObjectAggregator(MAX_BODY_BYTES))
        .addLast(new HttpConnection(handler));
  }
}
