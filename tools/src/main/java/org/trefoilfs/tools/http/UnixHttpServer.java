package org.trefoilfs.tools.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;

/**
 * Serves HTTP/1.1 at a Unix socket that root alone may connect to. The socket appears under its
 * name when it is served, and takes the place of one that a process has left that is gone.
 */
public final class UnixHttpServer implements AutoCloseable {
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
    EventLoopGroup loop = HttpConnections.loop();
    try {
      return new UnixHttpServer(file, loop, file.publish(path -> listen(path, loop, handler)));
    } catch (RuntimeException e) {
      HttpConnections.shutDown(loop);
      throw e;
    }
  }

  private static Channel listen(Path path, EventLoopGroup loop, HttpHandler handler) {
    var bound =
        new ServerBootstrap()
            .group(loop)
            .channel(NioServerDomainSocketChannel.class)
            .childHandler(new HttpConnections(loop, handler, Duration.ZERO))
            .bind(UnixDomainSocketAddress.of(path))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new TrefoilException(
          Reason.IO, path + ": the socket cannot be made: " + bound.cause(), bound.cause());
    }
    return bound.channel();
  }

  /** Requests that are under way may stay unanswered. */
  @Override
  public void close() {
    file.delete();
    listening.close().awaitUninterruptibly();
    HttpConnections.shutDown(loop);
  }
}
