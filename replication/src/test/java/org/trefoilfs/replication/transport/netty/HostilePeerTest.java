package org.trefoilfs.replication.transport.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.trefoilfs.replication.transport.netty.Hosts.ECHO;
import static org.trefoilfs.replication.transport.netty.Hosts.PATIENCE;
import static org.trefoilfs.replication.transport.netty.Hosts.assertFails;
import static org.trefoilfs.replication.transport.netty.Hosts.get;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.Lane;
import org.trefoilfs.replication.transport.RandomMessages;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.TransportOptions.Limits;
import org.trefoilfs.replication.transport.netty.RawPeer.Received;

class HostilePeerTest {
  private final Hosts hosts = new Hosts();
  private final long seed = Long.getLong("seed", System.nanoTime());
  private Address server;

  @BeforeEach
  void startServer() {
    server = hosts.server(ECHO).address();
  }

  @AfterEach
  void serverIsUnharmed() throws Exception {
    try {
      Message message = new Message.Written(5, 6);
      assertThat(get(hosts.client().call(server, message, PATIENCE))).isEqualTo(message);
    } finally {
      hosts.close();
    }
  }

  @Test
  void garbageIsAnsweredOnceAndDisconnected() throws Exception {
    try (RawPeer peer = RawPeer.connect(server)) {
      peer.send("GET / HTTP/1.1\r\nHost: trefoil\r\n\r\n".getBytes(StandardCharsets.UTF_8));
      assertTurnedAway(peer, Reason.INVALID, "protocol of trefoil");
    }
  }

  @Test
  void anotherProtocolVersionIsToldBothVersions() throws Exception {
    try (RawPeer peer = RawPeer.connect(server)) {
      byte[] hello = RawPeer.bytes(FrameWriter.hello(Hello.of(LocalIdentity.CLIENT, Lane.DATA)));
      ByteBuffer.wrap(hello).putShort(4, (short) 9);
      peer.send(hello);
      assertTurnedAway(peer, Reason.REFUSED, "version 9", "version 1");
    }
  }

  @Test
  void aServerOfAnotherVersionIsReportedToTheCaller() throws Exception {
    ServerSocket other = hosts.opened(new ServerSocket(0, 10, InetAddress.getLoopbackAddress()));
    Thread.ofVirtual()
        .start(
            () -> {
              try (RawPeer peer = new RawPeer(other.accept())) {
                peer.receive();
                byte[] hello =
                    RawPeer.bytes(FrameWriter.hello(Hello.of(LocalIdentity.CLIENT, Lane.DATA)));
                ByteBuffer.wrap(hello).putShort(4, (short) 7);
                peer.send(hello);
                peer.receive();
              } catch (IOException closed) {
                // the test is over
              }
            });
    Address to = new Address("127.0.0.1", other.getLocalPort());
    assertFails(
        hosts.client().call(to, new Message.Done(), PATIENCE),
        Reason.REFUSED,
        "version 7",
        "version 1");
  }

  @Test
  void aWrongChecksumEndsTheConnection() throws Exception {
    try (RawPeer peer = RawPeer.greeted(server, Lane.DATA)) {
      byte[] frame = RawPeer.request(new Message.Written(1, 2), 1);
      frame[frame.length - 1] ^= 1;
      peer.send(frame);
      assertTurnedAway(peer, Reason.INVALID, "checksum");
    }
  }

  @Test
  void anOversizedFrameEndsTheConnectionBeforeItIsReceived() throws Exception {
    for (int length : new int[] {FrameHeader.PAYLOAD_MAX + 1, Integer.MAX_VALUE, -1}) {
      try (RawPeer peer = RawPeer.greeted(server, Lane.DATA)) {
        byte[] frame = RawPeer.request(new Message.Written(1, 2), 1);
        ByteBuffer.wrap(frame).putInt(16, length);
        peer.send(frame);
        assertTurnedAway(peer, Reason.INVALID, "at most 16777216");
      }
    }
  }

  @Test
  void aStrangerCannotMakeTheServerHoldMoreThanAHello() throws Exception {
    try (RawPeer peer = RawPeer.connect(server)) {
      ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES + 100_000);
      new FrameHeader(FrameHeader.TYPE_HELLO, 0, 0, 100_000, 0).seal(frame);
      peer.send(frame.array());
      assertTurnedAway(peer, Reason.INVALID, "at most " + Hello.PAYLOAD_MAX);
    }
  }

  @Test
  void aBombOfZerosIsNotExpanded() throws Exception {
    try (RawPeer peer = RawPeer.greeted(server, Lane.DATA)) {
      ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES + 100);
      new FrameHeader(7, FrameHeader.FLAG_LZ4, 1, 100, 16 << 20).seal(frame);
      peer.send(frame.array());
      assertTurnedAway(peer, Reason.INVALID, "expands");
    }
  }

  @Test
  void aRequestBeforeTheHelloEndsTheConnection() throws Exception {
    try (RawPeer peer = RawPeer.connect(server)) {
      peer.send(RawPeer.request(new Message.Done(), 1));
      assertTurnedAway(peer, Reason.INVALID, "not expected");
    }
  }

  @Test
  void anIntactFrameThatMakesNoSenseFailsItsRequestOnly() throws Exception {
    try (RawPeer peer = RawPeer.greeted(server, Lane.DATA)) {
      ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES + 3);
      new FrameHeader(99, 0, 41, 3, 0).seal(frame);
      peer.send(frame.array());
      Received answer = peer.receive().orElseThrow();
      assertThat(answer.header().requestId()).isEqualTo(41);
      assertThat(answer.message())
          .isInstanceOfSatisfying(
              Message.Failed.class,
              failed -> assertThat(failed.reason()).isEqualTo(Reason.INVALID));
      peer.send(RawPeer.request(new Message.Written(3, 4), 42));
      assertThat(peer.receive().orElseThrow().message()).isEqualTo(new Message.Written(3, 4));
    }
  }

  @Test
  void aFrameThatArrivesByteByByteIsOneFrame() throws Exception {
    try (RawPeer peer = RawPeer.greeted(server, Lane.BULK)) {
      for (byte b : RawPeer.request(new Message.Written(3, 4), 42)) {
        peer.send(new byte[] {b});
      }
      assertThat(peer.receive().orElseThrow().message()).isEqualTo(new Message.Written(3, 4));
    }
  }

  @Test
  void aPeerThatDoesNotReadItsAnswersIsNotReadFromEither() throws Exception {
    AtomicInteger handled = new AtomicInteger();
    Message large = new Message.Data(ByteBuffer.allocate(64 << 10));
    Address to =
        hosts
            .server(
                (_, reply) -> {
                  handled.incrementAndGet();
                  reply.send(large);
                })
            .address();
    int requests = 4000;
    byte[] batch = bigRequests(requests);
    try (RawPeer peer = RawPeer.greeted(to, Lane.DATA)) {
      Thread sender = Thread.ofVirtual().start(() -> sendQuietly(peer, batch));
      await().atMost(PATIENCE).until(() -> handled.get() > 0);
      // 250 MiB of answers would be due; what the sockets' buffers hold is all that is made.
      await().during(Duration.ofMillis(300)).atMost(PATIENCE).until(stays(handled));
      assertThat(handled.get()).isLessThan(requests / 2);
      for (int n = 1; n <= requests; n++) {
        assertThat(peer.receive().orElseThrow().header().requestId()).isEqualTo(n);
      }
      sender.join();
    }
  }

  @Test
  void aPeerThatAskedForMuchAndTakesNothingIsDisconnectedAtTheLimit() throws Exception {
    List<Runnable> held = Collections.synchronizedList(new ArrayList<>());
    Message large = new Message.Data(ByteBuffer.allocate(1 << 20));
    TransportOptions small = TransportOptions.DEFAULT.withLimits(new Limits(1000, 2 << 20));
    Address to = hosts.server(0, (_, reply) -> held.add(() -> reply.send(large)), small).address();
    try (RawPeer peer = RawPeer.greeted(to, Lane.DATA)) {
      for (int n = 1; n <= 50; n++) {
        peer.send(RawPeer.request(new Message.Done(), n));
      }
      await().atMost(PATIENCE).until(() -> held.size() == 50);
      held.forEach(Runnable::run);
      int received = 0;
      while (peer.receive().isPresent()) {
        received++;
      }
      assertThat(received).isLessThan(50);
    }
  }

  private static byte[] bigRequests(int count) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int n = 1; n <= count; n++) {
      all.writeBytes(RawPeer.request(new Message.Data(ByteBuffer.allocate(1000)), n));
    }
    return all.toByteArray();
  }

  private static void sendQuietly(RawPeer peer, byte[] bytes) {
    try {
      peer.send(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** True while the counter is what it was when last asked. */
  private static Callable<Boolean> stays(AtomicInteger counter) {
    AtomicInteger last = new AtomicInteger(-1);
    return () -> last.getAndSet(counter.get()) == counter.get();
  }

  @Test
  void flippedBitsNeverBecomeAnotherMessage() throws Exception {
    AtomicInteger handled = new AtomicInteger();
    Map<String, Integer> known = new HashMap<>();
    Address strict =
        hosts
            .server(
                (request, reply) -> {
                  byte[] bytes = RandomMessages.bytesOf(request);
                  synchronized (known) {
                    assertThat(known).containsKey(key(bytes));
                  }
                  handled.incrementAndGet();
                  reply.send(request);
                })
            .address();
    RandomMessages messages = new RandomMessages(seed, 2000);
    Random random = new Random(seed);
    for (int round = 0; round < 150; round++) {
      Message message = messages.next();
      synchronized (known) {
        known.put(key(RandomMessages.bytesOf(message)), round);
      }
      try (RawPeer peer = RawPeer.greeted(strict, Lane.DATA)) {
        byte[] frame = RawPeer.request(message, round + 1);
        byte[] damaged = frame.clone();
        for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
          damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
        }
        peer.send(frame);
        peer.send(damaged);
        peer.send(new byte[FrameHeader.PAYLOAD_MAX >> 8]);
        Received answer = peer.receive().orElseThrow();
        assertThat(answer.header().requestId()).isEqualTo(round + 1);
        assertThat(RandomMessages.bytesOf(answer.message()))
            .as("seed " + seed)
            .isEqualTo(RandomMessages.bytesOf(message));
      }
    }
    assertThat(handled.get()).isGreaterThanOrEqualTo(150);
  }

  private static String key(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static void assertTurnedAway(RawPeer peer, Reason reason, String... words)
      throws IOException {
    Received last = peer.receive().orElseThrow();
    assertThat(last.header().requestId()).isZero();
    assertThat(last.message())
        .isInstanceOfSatisfying(
            Message.Failed.class,
            failed -> {
              assertThat(failed.reason()).isEqualTo(reason);
              assertThat(failed.message()).contains(words);
            });
    assertThat(peer.receive()).isEqualTo(Optional.empty());
  }
}
