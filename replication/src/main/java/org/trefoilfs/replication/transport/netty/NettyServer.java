package org.trefoilfs.replication.transport.netty;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.Closeable;
import java.net.InetSocketAddress;
import java.util.function.Supplier;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;

/**
 * Serves a host's port. One thread accepts and shakes hands; a connection then moves to a thread of
 * the lane that it named, so that whatever the handler does to writes, heartbeats are served.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close ends in channelInactive
public final class NettyServer implements Closeable {
  /**
   * Three for each of some thousand mounts (control, data, writes); more is a fault, and would use
   * up descriptors.
   */
  private static final int CONNECTIONS_MAX = 8192;

  private static final int BACKLOG = 1024;

  private final EventLoopGroup acceptor = LaneLoops.group(1, "trefoil-accept");
  private final LaneLoops loops;
  private final boolean ownsLoops;
  private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final ServerShared shared;
  private final Channel listening;
  private final Address address;

  private NettyServer(Address listen, ServerShared shared, LaneLoops loops, boolean ownsLoops) {
    this.shared = shared;
    this.loops = loops;
    this.ownsLoops = ownsLoops;
    try {
      this.listening = bind(listen);
    } catch (TrefoilException e) {
      stopThreads();
      throw e;
    }
    int port = ((InetSocketAddress) listening.localAddress()).getPort();
    this.address = new Address(listen.host(), port);
  }

  /**
   * Listens and serves, until closed.
   *
   * @param listen port 0 takes any free one
   * @param identity who serves; asked at each handshake, as a host learns its cluster when it joins
   * @throws TrefoilException BUSY when the port is taken, INVALID when the address is not this
   *     machine's
   */
  public static NettyServer start(
      Address listen,
      Transport.Handler handler,
      Supplier<LocalIdentity> identity,
      TransportOptions options) {
    return new NettyServer(
        listen,
        new ServerShared(handler, identity, options, new PeerLog()),
        new LaneLoops("trefoil-server"),
        true);
  }

  /** As the other, on loops that are also those of calls: {@link #close} leaves them running. */
  public static NettyServer start(
      Address listen,
      Transport.Handler handler,
      Supplier<LocalIdentity> identity,
      TransportOptions options,
      LaneLoops loops) {
    return new NettyServer(
        listen, new ServerShared(handler, identity, options, new PeerLog()), loops, false);
  }

  /** Where it listens, with the actual port. */
  public Address address() {
    return address;
  }

  /** Once this returns no request is being handled, unless it takes more than seconds. */
  @Override
  public void close() {
    listening.close();
    LaneLoops.await(connections.close());
    stopThreads();
  }

  private Channel bind(Address listen) {
    InetSocketAddress socketAddress = listen.toSocketAddress();
    if (socketAddress.isUnresolved()) {
      throw notOurs(listen, "it is not known");
    }
    ChannelFuture bound =
        new ServerBootstrap()
            .group(acceptor)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel accepted) {
                    accept(accepted);
                  }
                })
            .bind(socketAddress)
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw bindFailure(listen, bound.cause());
    }
    return bound.channel();
  }

  private void accept(Channel accepted) {
    if (connections.size() >= CONNECTIONS_MAX) {
      shared
          .peerLog()
          .warn(
              Sockets.peerOf(accepted),
              "closing a connection from",
              CONNECTIONS_MAX + " connections are open, which is the limit");
      accepted.close();
      return;
    }
    Sockets.configure(accepted);
    connections.add(accepted);
    accepted.pipeline().addLast(new ServerConnection(shared, loops));
  }

  private void stopThreads() {
    var accepting = LaneLoops.shutdown(acceptor);
    if (ownsLoops) {
      loops.close();
    }
    LaneLoops.await(accepting);
  }

  private static TrefoilException bindFailure(Address listen, Throwable cause) {
    String text = String.valueOf(cause.getMessage());
    if (text.contains("in use")) {
      return new TrefoilException(
          Reason.BUSY,
          "port "
              + listen.port()
              + " is taken on "
              + listen.host()
              + "; stop the program that uses it (ss -ltnp shows which), or choose another port",
          cause);
    }
    if (text.contains("ssign requested")) {
      return notOurs(listen, "it is not an address of this machine");
    }
    return new TrefoilException(
        Reason.NOT_PERMITTED, "cannot listen on " + listen + ": " + text, cause);
  }

  private static TrefoilException notOurs(Address listen, String why) {
    return new TrefoilException(
        Reason.INVALID,
        "cannot listen on " + listen + ": " + why + "; name one that `ip address` shows");
  }
}
