package org.trefoilfs.replication.transport.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.trefoilfs.replication.transport.netty.Hosts.PATIENCE;
import static org.trefoilfs.replication.transport.netty.Hosts.assertFails;
import static org.trefoilfs.replication.transport.netty.Hosts.get;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.Lane;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;

/** A server that cannot take more leaves what comes in the sockets. */
final class IntakeTest {
  private static final int BYTES = 256 << 10;
  private static final int ROOMS = 3;
  private static final Duration LONG = Duration.ofSeconds(30);

  /** Gives up early who is silent, but not a machine that is busy. */
  private static final TransportOptions HASTY =
      TransportOptions.DEFAULT.withConnectTimeout(PATIENCE).withSilence(Duration.ofMillis(500));

  private final Hosts hosts = new Hosts();
  private final Rooms rooms = new Rooms();

  @AfterEach
  void close() throws Exception {
    hosts.close();
  }

  /** Takes {@link #ROOMS} writes at once, each until the test answers it. */
  private static final class Rooms implements Transport.Handler {
    private final List<Transport.Reply> handled = new ArrayList<>();
    private final Queue<CompletableFuture<Void>> waiting = new ArrayDeque<>();
    private final AtomicInteger reading = new AtomicInteger();
    private int taken;

    @Override
    public synchronized void handle(Message request, Transport.Reply reply) {
      if (request.lane() == Lane.WRITE) {
        handled.add(reply);
      } else {
        reply.send(request);
      }
    }

    @Override
    public synchronized Ticket ask(Lane lane, long bytes) {
      if (lane != Lane.WRITE) {
        return Ticket.FREE;
      }
      if (bytes > 2 * BYTES) {
        throw new TrefoilException(Reason.TOO_LARGE, "write in parts");
      }
      CompletableFuture<Void> room = new CompletableFuture<>();
      if (taken < ROOMS) {
        taken++;
        room.complete(null);
      } else {
        waiting.add(room);
      }
      reading.incrementAndGet();
      return new Ticket() {
        @Override
        public CompletableFuture<Void> taken() {
          return room;
        }

        @Override
        public void release() {
          room.cancel(false);
          reading.decrementAndGet();
        }
      };
    }

    synchronized int handled() {
      return handled.size();
    }

    void answer(int index) {
      Transport.Reply reply;
      CompletableFuture<Void> next;
      synchronized (this) {
        reply = handled.get(index);
        next = waiting.poll();
        taken -= next == null ? 1 : 0;
      }
      reply.send(new Message.Written(1, index));
      if (next != null) {
        next.complete(null);
      }
    }
  }

  private static Message write(int bytes) {
    return new Message.Write(
        1,
        1,
        0,
        0,
        new OperationId(1, 1),
        new Mutation.Write(new ChunkId(1, 0), 0, ByteBuffer.allocate(bytes)));
  }

  @Test
  void writesWaitInTheirSocketsAndNothingElseBehindThem() throws Exception {
    Address to = hosts.server(0, rooms, HASTY).address();
    List<CompletableFuture<Message>> writes = new ArrayList<>();
    NettyTransport reader = null;
    for (int i = 0; i < 4; i++) {
      NettyTransport client = hosts.client(HASTY);
      reader = client;
      for (int j = 0; j < 8; j++) {
        writes.add(client.call(to, write(BYTES), LONG));
      }
    }
    await().atMost(PATIENCE).until(() -> rooms.handled() == ROOMS);
    Message read = new Message.Read(1, 1, new ChunkId(1, 0), 0, 1);
    Message delete =
        new Message.Write(
            1, 1, 0, 0, new OperationId(1, 2), new Mutation.Delete(new ChunkId(1, 0)));
    for (Message each : List.of(read, delete, new Message.MapRequest(1))) {
      assertThat(get(reader.call(to, each, LONG))).isEqualTo(each);
    }
    // Longer than what ends a connection from which nothing comes.
    await().during(Duration.ofMillis(1800)).atMost(PATIENCE).until(() -> rooms.handled() == ROOMS);
    assertThat(writes).noneMatch(CompletableFuture::isDone);
    for (int i = 0; i < writes.size(); i++) {
      int answered = i;
      await().atMost(PATIENCE).until(() -> rooms.handled() > answered);
      assertThat(rooms.handled()).isLessThanOrEqualTo(answered + ROOMS);
      rooms.answer(answered);
    }
    for (CompletableFuture<Message> each : writes) {
      assertThat(get(each)).isInstanceOf(Message.Written.class);
    }
    assertThat(rooms.reading).hasValue(0);
  }

  @Test
  void aWriteThatIsTooLargeIsRefusedUnreadAndTheNextOneTaken() throws Exception {
    Address to = hosts.server(rooms).address();
    NettyTransport client = hosts.client(HASTY);
    assertFails(client.call(to, write(3 * BYTES), LONG), Reason.TOO_LARGE, "write in parts");
    CompletableFuture<Message> next = client.call(to, write(BYTES), LONG);
    await().atMost(PATIENCE).until(() -> rooms.handled() == 1);
    rooms.answer(0);
    assertThat(get(next)).isEqualTo(new Message.Written(1, 0));
  }

  @Test
  void whoStopsInTheMiddleOfAWriteOrGoesWhileItWaitsGivesItsRoomBack() throws Exception {
    Address to = hosts.server(0, rooms, HASTY).address();
    byte[] frame = RawPeer.request(write(BYTES), 1);
    try (RawPeer peer = RawPeer.greeted(to, Lane.WRITE)) {
      peer.send(Arrays.copyOf(frame, frame.length / 2));
      assertThat(peer.receive().orElseThrow().message())
          .isInstanceOfSatisfying(
              Message.Failed.class,
              failed -> assertThat(failed.message()).contains("the rest of a request"));
      assertThat(peer.receive()).isEmpty();
    }
    await().atMost(PATIENCE).until(() -> rooms.reading.get() == 0);
    try (RawPeer peer = RawPeer.greeted(to, Lane.WRITE)) {
      for (int i = 0; i <= ROOMS; i++) {
        peer.send(frame);
      }
      await().atMost(PATIENCE).until(() -> rooms.reading.get() == 1);
    }
    await().atMost(PATIENCE).until(() -> rooms.reading.get() == 0);
  }

  @Test
  void whatArrivedBehindAWriteThatWaitedFollowsItInOrder() throws Exception {
    Address to = hosts.server(rooms).address();
    int writes = 40;
    try (RawPeer peer = RawPeer.greeted(to, Lane.WRITE)) {
      for (int i = 1; i <= writes; i++) {
        peer.send(RawPeer.request(write(100), i)); // many in what is read at once
      }
      for (int i = 0; i < writes; i++) {
        int answered = i;
        await().atMost(PATIENCE).until(() -> rooms.handled() > answered);
        rooms.answer(answered);
        RawPeer.Received answer = peer.receive().orElseThrow();
        assertThat(answer.header().requestId()).isEqualTo(i + 1L);
        assertThat(answer.message()).isEqualTo(new Message.Written(1, i));
      }
    }
  }
}
