package org.trefoilfs.tools.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;

/** Serves HTTP/1.1 at an address of this machine, to whoever reaches it. */
public final class TcpHttpServer implements AutoCloseable {
  /** Longer than a scraper pauses; who connects and says nothing takes no place for ever. */
  private static final Duration SILENCE = Duration.ofSeconds(90);

  private final EventLoopGroup loop;
  private final Channel listening;

  private TcpHttpServer(EventLoopGroup loop, Channel listening) {
    this.loop = loop;
    this.listening = listening;
  }

  /**
   * BUSY when the port is taken; INVALID when the address is none of this machine's.
   *
   * @param address with port 0 for one that is free
   */
  public static TcpHttpServer start(Address address, HttpHandler handler) {
    EventLoopGroup loop = HttpConnections.loop();
    var bound =
        new ServerBootstrap()
            .group(loop)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childHandler(new HttpConnections(loop, handler, SILENCE))
            .bind(new InetSocketAddress(address.host(), address.port()))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      HttpConnections.shutDown(loop);
      throw refusal(address, bound.cause());
    }
    return new TcpHttpServer(loop, bound.channel());
  }

  private static TrefoilException refusal(Address address, Throwable cause) {
    boolean taken =
        cause instanceof BindException && String.valueOf(cause.getMessage()).contains("in use");
    return taken
        ? new TrefoilException(
            Reason.BUSY,
            address + ": the port is taken; stop what uses it (see: ss -ltnp), or choose another",
            cause)
        : new TrefoilException(
            Reason.INVALID,
            address + ": HTTP cannot be served there: " + cause.getMessage(),
            cause);
  }

  /** Where it listens. */
  public int port() {
    return ((InetSocketAddress) listening.localAddress()).getPort();
  }

  /** Requests that are under way may stay unanswered. */
  @Override
  public void close() {
    listening.close().awaitUninterruptibly();
    HttpConnections.shutDown(loop);
  }
}
