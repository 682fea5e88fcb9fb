package org.trefoilfs.replication.transport.netty;

import io.netty.util.HashedWheelTimer;
import io.netty.util.NetUtil;
import io.netty.util.Timeout;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutorGroup;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;

/**
 * Calls hosts over TCP: one connection per address and {@link Message.Lane}, opened at the first
 * call. A peer that cannot be reached fails calls within the connect timeout, and at once during
 * the backoff after it. No call blocks its thread, except that names, not numbers, of hosts are
 * looked up on a thread of their own.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close ends in channelInactive
public final class NettyTransport implements Transport {
  private static final Logger log = LoggerFactory.getLogger(NettyTransport.class);

  /** Grain of time-outs: what they are off by, at most. */
  private static final long TICK_MS = 10;

  /** Names looked up at once; a name server that does not answer holds one for seconds. */
  private static final int RESOLVER_THREADS = 2;

  private final Map<Peer, ClientConnection> connections = new ConcurrentHashMap<>();
  private final Shared shared;
  private final LaneLoops loops;
  private final boolean ownsLoops;
  private final EventExecutorGroup resolver =
      new DefaultEventExecutorGroup(
          RESOLVER_THREADS, new DefaultThreadFactory("trefoil-resolver", true));
  private final HashedWheelTimer timer =
      new HashedWheelTimer(
          new DefaultThreadFactory("trefoil-timeouts", true), TICK_MS, TimeUnit.MILLISECONDS);
  private volatile boolean closed;

  /**
   * @param identity who calls; asked at each new connection, as a host learns its cluster when it
   *     joins
   */
  public NettyTransport(Supplier<LocalIdentity> identity, TransportOptions options) {
    this(identity, options, new LaneLoops("trefoil-client"), true);
  }

  /** As the other, on the loops of a server: {@link #close} leaves them to their owner. */
  public NettyTransport(
      Supplier<LocalIdentity> identity, TransportOptions options, LaneLoops loops) {
    this(identity, options, loops, false);
  }

  private NettyTransport(
      Supplier<LocalIdentity> identity,
      TransportOptions options,
      LaneLoops loops,
      boolean ownsLoops) {
    this.loops = loops;
    this.ownsLoops = ownsLoops;
    this.shared = new Shared(identity, options, new PeerLog());
  }

  @Override
  public CompletableFuture<Message> call(Address to, Message request, Duration timeout) {
    if (closed) {
      return CompletableFuture.failedFuture(closed());
    }
    try {
      return connection(to, request.lane()).call(request, timeout);
    } catch (RejectedExecutionException closedMeanwhile) {
      return CompletableFuture.failedFuture(closed());
    }
  }

  @Override
  public void send(Address to, Message oneWay) {
    if (closed) {
      return;
    }
    try {
      connection(to, oneWay.lane()).send(oneWay);
    } catch (RejectedExecutionException closedMeanwhile) {
      log.trace("not sent: the transport was closed", closedMeanwhile);
    }
  }

  @Override
  public void abandon(Address host) {
    connections.forEach(
        (peer, connection) -> {
          if (peer.address().equals(host)) {
            connection.abandon();
          }
        });
  }

  @Override
  public void close() {
    closed = true;
    connections.values().forEach(ClientConnection::close);
    if (ownsLoops) {
      loops.close();
    }
    resolver.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    timer.stop();
  }

  /** Bytes of frames that wait to be given to a socket. */
  long queuedBytes() {
    return connections.values().stream().mapToLong(ClientConnection::queuedBytes).sum();
  }

  private ClientConnection connection(Address to, Message.Lane lane) {
    Peer peer = new Peer(to, lane);
    ClientConnection known = connections.get(peer);
    return known != null ? known : connections.computeIfAbsent(peer, this::open);
  }

  private ClientConnection open(Peer peer) {
    log.debug("connecting to {} for {}", peer, peer.lane());
    ClientConnection opened = new ClientConnection(peer, loops.next(peer.lane()), shared);
    opened.start();
    return opened;
  }

  private static TrefoilException closed() {
    return new TrefoilException(Reason.UNAVAILABLE, "the transport has been closed");
  }

  private final class Shared implements ClientShared {
    private final Supplier<LocalIdentity> identity;
    private final TransportOptions options;
    private final PeerLog peerLog;

    Shared(Supplier<LocalIdentity> identity, TransportOptions options, PeerLog peerLog) {
      this.identity = identity;
      this.options = options;
      this.peerLog = peerLog;
    }

    @Override
    public TransportOptions options() {
      return options;
    }

    @Override
    public LocalIdentity identity() {
      return identity.get();
    }

    @Override
    public Timeout after(Duration delay, Runnable task) {
      try {
        return timer.newTimeout(_ -> task.run(), delay.toNanos(), TimeUnit.NANOSECONDS);
      } catch (IllegalStateException stopped) {
        throw new RejectedExecutionException("the transport has been closed", stopped);
      }
    }

    @Override
    public PeerLog peerLog() {
      return peerLog;
    }

    @Override
    public void resolve(Address address, Consumer<InetSocketAddress> found) {
      String host = address.host();
      if (NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host)) {
        found.accept(address.toSocketAddress());
      } else {
        resolver.execute(() -> found.accept(address.toSocketAddress()));
      }
    }

    @Override
    public void forget(ClientConnection connection, long servedNs) {
      long backoffNs = options.backoff().toNanos();
      if (servedNs > backoffNs || closed) {
        connections.remove(connection.peer(), connection);
      } else {
        after(options.backoff(), () -> connections.remove(connection.peer(), connection));
      }
    }
  }
}
