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
 * Event loops of their own for control, data and bulk, so that a heartbeat never waits behind a
 * disk. Netty starts a thread when its loop gets its first connection.
 *
 * <p>A host serves and calls on the same loops: what it sends while it handles a request, and what
 * it answers when it hears of others, mostly wakes no other thread, and leaves with whatever else
 * the turn of the loop brought.
 */
public final class LaneLoops implements AutoCloseable {
  /** How long what is under way at close may take. */
  private static final long CLOSE_SECONDS_MAX = 2;

  private final Map<Lane, EventLoopGroup> groups = new EnumMap<>(Lane.class);

  /**
   * @param name of the threads, before that of the lane
   */
  public LaneLoops(String name) {
    for (Lane lane : List.of(Lane.CONTROL, Lane.DATA, Lane.BULK)) {
      groups.put(lane, group(threads(lane), name + "-" + lane.name().toLowerCase(Locale.ROOT)));
    }
  }

  static EventLoopGroup group(int threads, String name) {
    return new MultiThreadIoEventLoopGroup(
        threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
  }

  EventLoop next(Lane lane) {
    return Objects.requireNonNull(groups.get(loopsOf(lane))).next();
  }

  /** A write goes through its primary without a change of threads. */
  private static Lane loopsOf(Lane lane) {
    return switch (lane) {
      case CONTROL, DATA, BULK -> lane;
      case WRITE, COMMIT -> Lane.DATA;
    };
  }

  /** Ends the threads. To be called when no connection uses them any more. */
  @Override
  public void close() {
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

  /**
   * Writes and reads follow the cores, of which the disk's threads and the mounts' need as many;
   * control and bulk need order more than speed. Measured on two processors with three hosts: a
   * synced write of 4 KiB cost 1.7 ms of processor time and 16 context switches with one thread for
   * data, 2.2 ms and 20 with two.
   */
  static int threads(Lane lane) {
    return loopsOf(lane) == Lane.DATA
        ? Math.max(1, Runtime.getRuntime().availableProcessors() / 2)
        : 1;
  }
}
