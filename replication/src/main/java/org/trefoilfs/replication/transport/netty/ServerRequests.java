package org.trefoilfs.replication.transport.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.transport.Failures;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Intake;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.Lane;
import org.trefoilfs.replication.transport.MessageCodec;
import org.trefoilfs.replication.transport.MessageType;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions.Limits;
import org.trefoilfs.replication.transport.netty.FrameWriter.Compress;

/**
 * The requests of one connection, from frame to answer. Reading stops while the peer does not take
 * its answers, while it has too many requests here that are not answered, and while there is no
 * room for the next one.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write or close ends in channelInactive
final class ServerRequests {
  private static final Logger log = LoggerFactory.getLogger(ServerRequests.class);
  private static final Transport.Reply NO_REPLY = _ -> {};

  /**
   * Answers may pile up to this many times the bytes that requests may: reading has stopped by
   * then, so more is a peer that asked for much and takes none of it.
   */
  private static final int ANSWERS_TO_REQUESTS = 4;

  private final Channel channel;
  private final EventLoop loop;
  private final ServerShared shared;
  private final Limits limits;
  private final Compress compress;
  private final Outbound outbound;
  private final AtomicInteger openRequests = new AtomicInteger();
  private final AtomicLong openBytes = new AtomicLong();
  private final Lane lane;
  private final Runnable resume;
  private volatile boolean full;
  private Intake.Ticket ticket = Intake.Ticket.FREE;
  private boolean held;
  private @Nullable Future<?> signsOfLife;

  /**
   * @param resume what was held back may be read
   */
  ServerRequests(Channel channel, ServerShared shared, Lane lane, Runnable resume) {
    this.lane = lane;
    this.resume = resume;
    this.channel = channel;
    this.loop = channel.eventLoop();
    this.shared = shared;
    this.limits = shared.options().limits();
    this.compress = Sockets.compress(shared.options().compression(), channel);
    this.outbound = new Outbound(loop, limits.queuedBytes() * ANSWERS_TO_REQUESTS);
  }

  boolean accepts(FrameHeader header) {
    return header.type() != FrameHeader.TYPE_HELLO && !header.has(FrameHeader.FLAG_REPLY);
  }

  void open() {
    outbound.open(channel);
    updateReading();
  }

  void writable() {
    outbound.drain();
    updateReading();
  }

  void close() {
    stopSigns();
    ticket.release();
    outbound.close(new TrefoilException(Reason.UNAVAILABLE, "the connection broke"));
  }

  /** Asks for room for a request, whose header has come. */
  FrameAssembler.Verdict admits(FrameHeader header) {
    if (header.length() == 0 || header.type() == MessageType.NEW_VIEW.code()) {
      return FrameAssembler.Verdict.READ; // it changes what is here, and adds nothing
    }
    Intake.Ticket asked;
    try {
      asked = shared.handler().ask(lane, (long) header.length() + header.uncompressedLength());
    } catch (TrefoilException tooLarge) {
      offer(
          FrameWriter.message(
              Failures.toMessage(tooLarge),
              header.requestId(),
              FrameHeader.FLAG_REPLY,
              Compress.NO));
      return FrameAssembler.Verdict.SKIP;
    }
    ticket = asked;
    if (asked.taken().isDone()) {
      return FrameAssembler.Verdict.READ;
    }
    held = true;
    updateReading();
    asked.taken().thenRun(() -> onLoop(this::goOn));
    return FrameAssembler.Verdict.WAIT;
  }

  private void goOn() {
    if (channel.isActive()) {
      held = false;
      updateReading();
      resume.run();
    }
  }

  void received(Frame frame) {
    try {
      handle(frame);
    } finally {
      ticket.release();
      ticket = Intake.Ticket.FREE;
    }
  }

  private void handle(Frame frame) {
    FrameHeader header = frame.header();
    if (header.type() == FrameHeader.TYPE_PING) {
      offer(FrameWriter.signal(FrameHeader.TYPE_PONG));
    } else if (header.has(FrameHeader.FLAG_ONE_WAY)) {
      handle(frame, NO_REPLY);
    } else {
      int bytes = frame.payload().remaining();
      handle(frame, new Answer(header.requestId(), bytes));
      if (isFull()) {
        full = true;
        updateReading();
      }
    }
  }

  private void handle(Frame frame, Transport.Reply reply) {
    try {
      Message request = MessageCodec.decode(frame.header().type(), frame.payload());
      shared.handler().handle(request, reply);
    } catch (Throwable e) { // whatever a handler throws concerns one request, not the connection
      Message.Failed failed = Failures.toMessage(e);
      if (failed.reason() == Reason.INTERNAL) {
        log.error("a request from {} failed", channel.remoteAddress(), e);
      }
      reply.send(failed);
    }
  }

  private void offer(ByteBuf frame) {
    if (!outbound.offer(new Outgoing(frame))) {
      frame.release();
      shared
          .peerLog()
          .warn(
              Sockets.peerOf(channel), "closing a connection from", "it does not read its answers");
      channel.close();
    }
  }

  private boolean isFull() {
    return openRequests.get() >= limits.requests() || openBytes.get() >= limits.queuedBytes();
  }

  private boolean isHalfEmpty() {
    return openRequests.get() <= limits.requests() / 2
        && openBytes.get() <= limits.queuedBytes() / 2;
  }

  private void answered(int bytes) {
    openRequests.decrementAndGet();
    openBytes.addAndGet(-bytes);
    if (full && isHalfEmpty()) {
      onLoop(this::updateReading);
    }
  }

  private void onLoop(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException serverClosed) {
      log.trace("after the server was closed", serverClosed);
    }
  }

  /** On the event loop. */
  private void updateReading() {
    if (full && isHalfEmpty()) {
      full = false;
    }
    channel.config().setAutoRead(!full && !held && channel.isWritable());
    if (!full && !held) {
      stopSigns();
    } else if (signsOfLife == null && channel.isActive()) {
      startSigns();
    }
  }

  /** While it does not read, it cannot be asked whether it lives: it says so unasked. */
  private void startSigns() {
    long everyNs = shared.options().silence().toNanos() / 2;
    signsOfLife =
        loop.scheduleAtFixedRate(
            () -> {
              if (channel.isWritable()) {
                channel.writeAndFlush(FrameWriter.signal(FrameHeader.TYPE_PONG));
              }
            },
            everyNs,
            everyNs,
            TimeUnit.NANOSECONDS);
  }

  private void stopSigns() {
    if (signsOfLife != null) {
      signsOfLife.cancel(false);
      signsOfLife = null;
    }
  }

  /** The answer to one request: the first that is given. */
  private final class Answer implements Transport.Reply {
    private final long requestId;
    private final int requestBytes;
    private final AtomicBoolean given = new AtomicBoolean();

    Answer(long requestId, int requestBytes) {
      this.requestId = requestId;
      this.requestBytes = requestBytes;
      openRequests.incrementAndGet();
      openBytes.addAndGet(requestBytes);
    }

    @Override
    public void send(Message answer) {
      if (!given.compareAndSet(false, true)) {
        log.warn("a request was answered twice; ignored: {}", answer.getClass().getSimpleName());
        return;
      }
      offer(frame(answer));
      answered(requestBytes);
    }

    private ByteBuf frame(Message answer) {
      try {
        return FrameWriter.message(answer, requestId, FrameHeader.FLAG_REPLY, compress);
      } catch (RuntimeException e) {
        Message.Failed failed = Failures.toMessage(e);
        return FrameWriter.message(failed, requestId, FrameHeader.FLAG_REPLY, Compress.NO);
      }
    }
  }
}
