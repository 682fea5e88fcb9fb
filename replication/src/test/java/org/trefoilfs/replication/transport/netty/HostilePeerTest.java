package org.trefoilfs.replication.transport.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.trefoilfs.replication.transport.netty.Hosts.ECHO;
import static org.trefoilfs.replication.transport.netty.Hosts.PATIENCE;
import static org.trefoilfs.replication.transport.netty.Hosts.assertFails;
import static org.trefoilfs.replication.transport.netty.Hosts.get;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
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
