package org.trefoilfs.replication.transport.netty;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.BlockingOperationException;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.replication.transport.Message.Lane;

/**
 * Event loops of their own for each lane, so that a heartbeat never waits behind a disk. Netty
 * starts a thread when its loop gets its first connection.
 */
final class LaneLoops {
  /** How long what is under way at close may take. */
  private static final long CLOSE_SECONDS_MAX = 2;

  private final Map<Lane, EventLoopGroup> groups = new EnumMap<>(Lane.class);

  LaneLoops(String name) {
    for (Lane lane : Lane.values()) {
      groups.put(lane, group(threads(lane), name + "-" + lane.name().toLowerCase(Locale.ROOT)));
    }
  }

  static EventLoopGroup group(int threads, String name) {
    return new MultiThreadIoEventLoopGroup(
        threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
  }

  EventLoop next(Lane lane) {
    return Objects.requireNonNull(groups.get(lane)).next();
  }

  void close() {
    List<Future<?>> closing = new ArrayList<>();
    groups.values().forEach(group -> closing.add(shutdown(group)));
    closing.forEach(LaneLoops::await);
  }

  static Future<?> shutdown(EventLoopGroup group) {
    return group.shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
  }

  /** Waits, unless the caller is itself one of the threads that end. */
  static void await(Future<?> end) {
    try {
      end.await(CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (BlockingOperationException onEventLoop) {
      // a close from an event loop cannot wait for that loop
    }
  }

  /** Writes and reads follow the cores; control and bulk need order more than speed. */
  private static int threads(Lane lane) {
    return lane == Lane.DATA ? 2 : 1;
  }
}
