package org.trefoilfs.tools.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Serves HTTP/1.1 at a Unix socket that root alone may connect to. The socket appears under its
 * name when it is served, and takes the place of one that a process has left that is gone.
 */
public final class UnixHttpServer implements AutoCloseable {
  /** A request is a few lines of JSON. */
  private static final int MAX_BODY_BYTES = 1 << 20;

  /** One program of this machine asks, some dozens at a time. */
  private static final int MAX_CONNECTIONS = 256;

  private final SocketFile file;
  private final EventLoopGroup loop;
  private final Channel listening;

  private UnixHttpServer(SocketFile file, EventLoopGroup loop, Channel listening) {
    this.file = file;
    this.loop = loop;
    this.listening = listening;
  }

  /** EXISTS when another process serves there; IO when the socket cannot be made. */
  public static UnixHttpServer start(Path socket, HttpHandler handler) {
    SocketFile file = new SocketFile(socket);
    file.checkFree();
    EventLoopGroup loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("http", true), NioIoHandler.newFactory());
    try {
      return new UnixHttpServer(file, loop, file.publish(path -> listen(path, loop, handler)));
    } catch (RuntimeException e) {
      shutDown(loop);
      throw e;
    }
  }

  private static Channel listen(Path path, EventLoopGroup loop, HttpHandler handler) {
    var bound =
        new ServerBootstrap()
            .group(loop)
            .channel(NioServerDomainSocketChannel.class)
            .childHandler(new Connections(loop, handler))
            .bind(UnixDomainSocketAddress.of(path))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new TrefoilException(
          Reason.IO, path + ": the socket cannot be made: " + bound.cause(), bound.cause());
    }
    return bound.channel();
  }

  private static final class Connections extends ChannelInitializer<Channel> {
    private final ChannelGroup open;
    private final HttpHandler handler;

    Connections(EventLoopGroup loop, HttpHandler handler) {
      this.open = new DefaultChannelGroup(loop.next());
      this.handler = handler;
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
      connection
          .pipeline()
          .addLast(new HttpServerCodec())
          // Below the aggregator: above it, a part of a request would count as what was asked for.
          .addLast(new FlowControlHandler())
          .addLast(new HttpObjectAggregator(MAX_BODY_BYTES))
          .addLast(new HttpConnection(handler));
    }
  }

  /** Requests that are under way may stay unanswered. */
  @Override
  public void close() {
    file.delete();
    listening.close().awaitUninterruptibly();
    shutDown(loop);
  }

  private static void shutDown(EventLoopGroup loop) {
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }
}
