package org.trefoilfs.replication.transport.netty;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.collection.LongObjectHashMap;
import io.netty.util.collection.LongObjectMap;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Failures;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.MessageCodec;
import org.trefoilfs.replication.transport.netty.FrameWriter.Compress;

/**
 * One connection to a host on one lane, from its first call to its end; after that another one
 * takes its place. Requests are queued until the handshake is done, so their order is that of the
 * calls from the first on. State that is not volatile or atomic belongs to the event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close ends in channelInactive
final class ClientConnection {
  private final Peer peer;
  private final EventLoop loop;
  private final ClientShared shared;
  private final Outbound outbound;
  private final AtomicLong lastRequestId = new AtomicLong();
  private final AtomicInteger inFlight = new AtomicInteger();
  private final LongObjectMap<ClientCall> sent = new LongObjectHashMap<>();
  private volatile Compress compress = Compress.NO;
  private volatile @Nullable TrefoilException closedBy;
  private @Nullable Channel channel;
  private long readyNs;
  private boolean ready;

  ClientConnection(Peer peer, EventLoop loop, ClientShared shared) {
    this.peer = peer;
    this.loop = loop;
    this.shared = shared;
    this.outbound = new Outbound(loop, shared.options().limits().queuedBytes());
  }

  Peer peer() {
    return peer;
  }

  // ---- any thread

  long queuedBytes() {
    return outbound.queuedBytes();
  }

  void start() {
    long timeoutMs = shared.options().connectTimeout().toMillis();
    loop.schedule(() -> giveUpConnecting(timeoutMs), timeoutMs, TimeUnit.MILLISECONDS);
    shared.resolve(peer.address(), found -> loop.execute(() -> connect(found)));
  }

  CompletableFuture<Message> call(Message request, Duration timeout) {
    TrefoilException closed = closedBy;
    if (closed != null) {
      return CompletableFuture.failedFuture(repeated(closed));
    }
    if (inFlight.incrementAndGet() > shared.options().limits().requests()) {
      inFlight.decrementAndGet();
      return CompletableFuture.failedFuture(overloaded());
    }
    long requestId = lastRequestId.incrementAndGet();
    ByteBuf frame;
    try {
      frame = FrameWriter.message(request, requestId, 0, compress);
    } catch (TrefoilException e) {
      inFlight.decrementAndGet();
      return CompletableFuture.failedFuture(e);
    }
    return enqueue(new ClientCall(frame, requestId, this, inFlight), timeout);
  }

  private CompletableFuture<Message> enqueue(ClientCall call, Duration timeout) {
    try {
      call.endsAt(shared.after(timeout, () -> expire(call, timeout)));
    } catch (RejectedExecutionException e) {
      call.frame().release();
      throw e;
    }
    if (!outbound.offer(call)) {
      call.frame().release();
      onLoop(() -> call.fail(overloaded()));
    }
    return call.answer();
  }

  void send(Message oneWay) {
    if (closedBy != null) {
      return;
    }
    ByteBuf frame = FrameWriter.message(oneWay, 0, FrameHeader.FLAG_ONE_WAY, compress);
    if (!outbound.offer(new Outgoing(frame))) {
      frame.release();
    }
  }

  void close() {
    onLoop(() -> fail(new TrefoilException(Reason.UNAVAILABLE, "the transport has been closed")));
  }

  void abandon() {
    onLoop(() -> fail(new TrefoilException(Reason.UNAVAILABLE, peer + " was declared lost")));
  }

  private void expire(ClientCall call, Duration timeout) {
    onLoop(
        () -> {
          sent.remove(call.requestId());
          outbound.recall(call);
          call.fail(peer + " did not answer within " + timeout.toMillis() + " ms");
        });
  }

  private void onLoop(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException transportClosed) {
      // The loop failed everything it knew before it ended; what came too late ends here.
      task.run();
    }
  }

  // ---- event loop

  private void connect(InetSocketAddress to) {
    if (closedBy != null) {
      return;
    }
    if (to.isUnresolved()) {
      fail(
          unavailable(
              "no address is known for '" + to.getHostString() + "'; check the name", null));
      return;
    }
    ChannelFuture connecting =
        new Bootstrap()
            .group(loop)
            .channel(NioSocketChannel.class)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel opened) {
                    Sockets.configure(opened);
                    opened.pipeline().addLast(new ClientHandler(ClientConnection.this, shared));
                  }
                })
            .connect(to);
    channel = connecting.channel();
    connecting.addListener(
        done -> {
          if (!done.isSuccess()) {
            fail(unavailable(peer + " cannot be reached; is trefoil running there?", done.cause()));
          }
        });
  }

  private void giveUpConnecting(long timeoutMs) {
    if (!ready) {
      fail(unavailable(peer + " does not answer within " + timeoutMs + " ms", null));
    }
  }

  /** The handshake is done. */
  void ready(Channel opened) {
    ready = true;
    readyNs = System.nanoTime();
    compress = Sockets.compress(shared.options().compression(), opened);
    outbound.open(opened);
  }

  void writable() {
    outbound.drain();
  }

  void sending(ClientCall call) {
    sent.put(call.requestId(), call);
  }

  /** Whether an answer is due. */
  boolean isWaiting() {
    return !sent.isEmpty() || !outbound.isEmpty();
  }

  void answered(Frame frame) {
    ClientCall call = sent.remove(frame.header().requestId());
    if (call == null) {
      return; // its time had run out
    }
    Message answer;
    try {
      answer = MessageCodec.decode(frame.header().type(), frame.payload());
    } catch (TrefoilException e) {
      call.fail(peer + " sent an answer that cannot be read: " + e.getMessage());
      return;
    }
    if (answer instanceof Message.Failed failed) {
      call.fail(Failures.toException(failed));
    } else {
      call.succeed(answer);
    }
  }

  /**
   * Ends the connection. Calls that never reached the socket fail for {@code why}, the others with
   * an unknown outcome. The next call finds another connection, at once if this one had served.
   */
  void fail(TrefoilException why) {
    if (closedBy != null) {
      return;
    }
    closedBy = why;
    long servedNs = ready ? System.nanoTime() - readyNs : 0;
    shared.forget(this, servedNs);
    if (channel != null) {
      channel.close();
    }
    List<ClientCall> unknown = new ArrayList<>(sent.values());
    sent.clear();
    unknown.forEach(call -> call.fail(why.getMessage() + "; the request may have been served"));
    outbound.close(unsent(why));
  }

  // ---- words

  private TrefoilException overloaded() {
    return unavailable(
        peer + " is too slow: its connection is full; ask less at once, or try again later", null);
  }

  /** What was not sent is unavailable, unless the peer turned us away for good. */
  private static TrefoilException unsent(TrefoilException why) {
    return why.reason() == Reason.REFUSED
        ? why
        : new TrefoilException(Reason.UNAVAILABLE, String.valueOf(why.getMessage()), why);
  }

  private static TrefoilException repeated(TrefoilException why) {
    return new TrefoilException(unsent(why).reason(), String.valueOf(why.getMessage()), why);
  }

  private static TrefoilException unavailable(String what, @Nullable Throwable cause) {
    return cause == null
        ? new TrefoilException(Reason.UNAVAILABLE, what)
        : new TrefoilException(Reason.UNAVAILABLE, what + " (" + cause.getMessage() + ")", cause);
  }
}
