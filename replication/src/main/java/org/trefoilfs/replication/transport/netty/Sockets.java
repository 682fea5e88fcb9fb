package org.trefoilfs.replication.transport.netty;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioChannelOption;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Map;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.transport.TransportOptions.Compression;
import org.trefoilfs.replication.transport.netty.FrameWriter.Compress;

/** Options of every connection's socket, and what can be told from its addresses. */
final class Sockets {
  /**
   * Bytes given to a socket and not yet taken by the kernel. Enough to keep a fast link busy
   * between two turns of the loop; what is more waits where it can still be recalled.
   */
  private static final WriteBufferWaterMark WATER_MARKS =
      new WriteBufferWaterMark(256 << 10, 1 << 20);

  private static final int READ_MIN_BYTES = 2 << 10;
  private static final int READ_FIRST_BYTES = 64 << 10;
  private static final int READ_MAX_BYTES = 512 << 10;

  /** A vanished peer is found after 30 + 3 × 10 seconds even when nobody waits for it. */
  private static final Map<ChannelOption<?>, Object> OPTIONS =
      Map.of(
          ChannelOption.TCP_NODELAY,
          true,
          ChannelOption.SO_KEEPALIVE,
          true,
          NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE),
          30,
          NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL),
          10,
          NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT),
          3,
          ChannelOption.WRITE_BUFFER_WATER_MARK,
          WATER_MARKS);

  private Sockets() {}

  @SuppressWarnings("unchecked")
  static void configure(Channel channel) {
    OPTIONS.forEach(
        (option, value) -> channel.config().setOption((ChannelOption<Object>) option, value));
    RecvByteBufAllocator reads =
        new AdaptiveRecvByteBufAllocator(READ_MIN_BYTES, READ_FIRST_BYTES, READ_MAX_BYTES);
    channel.config().setRecvByteBufAllocator(reads);
  }

  static Compress compress(Compression option, Channel channel) {
    boolean worthIt =
        switch (option) {
          case OFF -> false;
          case EVERY_PEER -> true;
          case REMOTE_PEERS -> !isSameMachine(channel);
        };
    return worthIt ? Compress.YES : Compress.NO;
  }

  /** The peer without its port: one of many connections from there. */
  static String peerOf(Channel channel) {
    InetAddress address = ip(channel.remoteAddress());
    return address == null ? "an unknown peer" : address.getHostAddress();
  }

  private static boolean isSameMachine(Channel channel) {
    InetAddress remote = ip(channel.remoteAddress());
    return remote != null
        && (remote.isLoopbackAddress() || remote.equals(ip(channel.localAddress())));
  }

  private static @Nullable InetAddress ip(@Nullable SocketAddress address) {
    return address instanceof InetSocketAddress inet ? inet.getAddress() : null;
  }
}
