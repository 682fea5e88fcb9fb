package org.trefoilfs.replication.transport.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.trefoilfs.replication.transport.netty.Hosts.ECHO;
import static org.trefoilfs.replication.transport.netty.Hosts.PATIENCE;
import static org.trefoilfs.replication.transport.netty.Hosts.assertFails;
import static org.trefoilfs.replication.transport.netty.Hosts.failureOf;
import static org.trefoilfs.replication.transport.netty.Hosts.get;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.Hello;
import org.trefoilfs.replication.transport.LocalIdentity;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Message.Lane;
import org.trefoilfs.replication.transport.RandomMessages;
import org.trefoilfs.replication.transport.Transport;
import org.trefoilfs.replication.transport.TransportOptions;
import org.trefoilfs.replication.transport.TransportOptions.Compression;
import org.trefoilfs.replication.transport.TransportOptions.Limits;

class NettyTransportTest {
  private static final Message PING = new Message.Written(1, 1);

  private final Hosts hosts = new Hosts();
  private final long seed = Long.getLong("seed", System.nanoTime());

  @AfterEach
  void closeAll() throws Exception {
    hosts.close();
  }

  @Test
  void everyMessageMakesTheRoundTripUnchanged() throws Exception {
    roundTrips(TransportOptions.DEFAULT);
  }

  @Test
  void everyMessageMakesTheRoundTripUnchangedWhenCompressed() throws Exception {
    roundTrips(TransportOptions.DEFAULT.withCompression(Compression.EVERY_PEER));
  }

  private void roundTrips(TransportOptions options) throws Exception {
    Address to = hosts.server(0, ECHO, options).address();
    NettyTransport client = hosts.client(options);
    RandomMessages messages = new RandomMessages(seed, 100_000);
    Map<Message, CompletableFuture<Message>> answers = new HashMap<>();
    for (int i = 0; i < 300; i++) {
      Message message = messages.next();
      answers.put(message, client.call(to, message, PATIENCE));
    }
    for (var entry : answers.entrySet()) {
      if (entry.getKey() instanceof Message.Failed failed) {
        TrefoilException failure = failureOf(entry.getValue());
        assertThat(failure.reason()).isEqualTo(failed.reason());
        assertThat(failure.getMessage()).isEqualTo(failed.message());
        assertThat(failure.hint().orElse("")).isEqualTo(failed.hint());
      } else {
        assertThat(RandomMessages.bytesOf(get(entry.getValue())))
            .as("seed " + seed)
            .isEqualTo(RandomMessages.bytesOf(entry.getKey()));
      }
    }
  }

  @Test
  void requestsArriveInTheOrderOfTheCallsFromTheFirstOn() throws Exception {
    ConcurrentLinkedQueue<Long> arrived = new ConcurrentLinkedQueue<>();
    Address to = hosts.server(recordInto(arrived)).address();
    NettyTransport client = hosts.client();
    List<CompletableFuture<Message>> answers = new ArrayList<>();
    for (long n = 0; n < 5000; n++) {
      answers.add(client.call(to, new Message.Written(0, n), PATIENCE));
      if (n % 10 == 0) {
        client.send(to, new Message.Written(0, -n));
      }
    }
    for (CompletableFuture<Message> answer : answers) {
      get(answer);
    }
    List<Long> expected = new ArrayList<>();
    for (long n = 0; n < 5000; n++) {
      expected.add(n);
      if (n % 10 == 0) {
        expected.add(-n);
      }
    }
    assertThat(arrived).containsExactlyElementsOf(expected);
  }

  @Test
  void answersGivenFromAnyThreadInAnyOrderReachTheirRequests() throws Exception {
    List<Runnable> held = new ArrayList<>();
    Address to =
        hosts
            .server(
                (request, reply) -> {
                  held.add(() -> reply.send(request));
                  if (held.size() == 100) {
                    new Thread(() -> held.reversed().forEach(Runnable::run)).start();
                  }
                })
            .address();
    NettyTransport client = hosts.client();
    List<CompletableFuture<Message>> answers = new ArrayList<>();
    for (long n = 0; n < 100; n++) {
      answers.add(client.call(to, new Message.Written(0, n), PATIENCE));
    }
    for (int n = 0; n < 100; n++) {
      assertThat(get(answers.get(n))).isEqualTo(new Message.Written(0, n));
    }
  }

  @Test
  void callsToAHostThatIsAbandonedFailAtOnceAndLaterOnesConnectAnew() throws Exception {
    AtomicBoolean silent = new AtomicBoolean(true);
    CountDownLatch arrived = new CountDownLatch(1);
    Address to =
        hosts
            .server(
                (request, reply) -> {
                  arrived.countDown();
                  if (!silent.get()) {
                    reply.send(request);
                  }
                })
            .address();
    NettyTransport client = hosts.client();
    Message request = new Message.Written(0, 1);
    CompletableFuture<Message> waiting = client.call(to, request, Duration.ofHours(1));
    arrived.await();
    client.abandon(to);
    assertThat(failureOf(waiting).reason()).isEqualTo(Reason.OUTCOME_UNKNOWN);

    silent.set(false);
    await()
        .ignoreExceptions()
        .untilAsserted(
            () -> assertThat(get(client.call(to, request, PATIENCE))).isEqualTo(request));
  }

  @Test
  void dataStayValidAfterTheHandlerReturned() throws Exception {
    List<ByteBuffer> kept = new ArrayList<>();
    Address to =
        hosts
            .server(
                (request, reply) -> {
                  kept.add(((Message.Data) request).bytes());
                  reply.send(new Message.Done());
                })
            .address();
    NettyTransport client = hosts.client();
    for (int n = 0; n < 50; n++) {
      ByteBuffer data = ByteBuffer.allocate(10_000);
      while (data.hasRemaining()) {
        data.put((byte) n);
      }
      get(client.call(to, new Message.Data(data.flip()), PATIENCE));
    }
    for (int n = 0; n < 50; n++) {
      byte[] bytes = new byte[10_000];
      kept.get(n).get(0, bytes);
      assertThat(bytes).containsOnly(n);
    }
  }

  @Test
  void aFailureCarriesReasonMessageAndHint() {
    Address to =
        hosts
            .server(
                (request, reply) -> {
                  throw TrefoilException.withHint(Reason.NOT_LEADER, "ask h2", "10.0.0.2:7440");
                })
            .address();
    TrefoilException failure = failureOf(hosts.client().call(to, PING, PATIENCE));
    assertThat(failure.reason()).isEqualTo(Reason.NOT_LEADER);
    assertThat(failure).hasMessage("ask h2");
    assertThat(failure.hint()).contains("10.0.0.2:7440");
  }

  @Test
  void aHandlersDefectFailsItsRequestAndNothingElse() throws Exception {
    Address to =
        hosts
            .server(
                (request, reply) -> {
                  if (request instanceof Message.Done) {
                    throw new IllegalStateException("defect");
                  }
                  reply.send(request);
                })
            .address();
    NettyTransport client = hosts.client();
    assertFails(client.call(to, new Message.Done(), PATIENCE), Reason.INTERNAL, "defect");
    assertThat(get(client.call(to, PING, PATIENCE))).isEqualTo(PING);
  }

  @Test
  void aSecondAnswerIsIgnored() throws Exception {
    Address to =
        hosts
            .server(
                (request, reply) -> {
                  reply.send(request);
                  reply.send(new Message.Done());
                })
            .address();
    NettyTransport client = hosts.client();
    for (int i = 0; i < 10; i++) {
      assertThat(get(client.call(to, PING, PATIENCE))).isEqualTo(PING);
    }
  }

  @Test
  void anAnswerThatDoesNotFitAFrameIsAFailure() throws Exception {
    Message huge = new Message.Data(ByteBuffer.allocate(17 << 20));
    Address to = hosts.server((_, reply) -> reply.send(huge)).address();
    NettyTransport client = hosts.client();
    assertFails(client.call(to, PING, PATIENCE), Reason.TOO_LARGE, "DATA", "16777216");
    assertFails(client.call(to, huge, PATIENCE), Reason.TOO_LARGE, "DATA", "16777216");
  }

  @Test
  void silenceEndsACallWithAnUnknownOutcomeInTime() {
    Address to = hosts.server((_, _) -> {}).address();
    long startNs = System.nanoTime();
    assertFails(
        hosts.client().call(to, PING, Duration.ofMillis(300)),
        Reason.OUTCOME_UNKNOWN,
        "did not answer within 300 ms");
    assertThat(Duration.ofNanos(System.nanoTime() - startNs))
        .isBetween(Duration.ofMillis(290), Duration.ofMillis(2000));
  }

  @Test
  void aRefusedConnectionFailsFastAndEvenFasterDuringTheBackoff() throws Exception {
    Address to = new Address("127.0.0.1", freePort());
    NettyTransport client = hosts.client();
    long startNs = System.nanoTime();
    assertFails(client.call(to, PING, PATIENCE), Reason.UNAVAILABLE, to.toString());
    assertThat(Duration.ofNanos(System.nanoTime() - startNs)).isLessThan(Duration.ofSeconds(1));
    assertThat(client.call(to, PING, PATIENCE)).isCompletedExceptionally();
  }

  @Test
  void aHostThatAcceptsAndSaysNothingIsUnavailableWithinTheConnectTimeout() throws Exception {
    ServerSocket mute = hosts.opened(new ServerSocket(0, 10, InetAddress.getLoopbackAddress()));
    Address to = new Address("127.0.0.1", mute.getLocalPort());
    long startNs = System.nanoTime();
    assertFails(hosts.client().call(to, PING, PATIENCE), Reason.UNAVAILABLE, "does not answer");
    assertThat(Duration.ofNanos(System.nanoTime() - startNs)).isLessThan(Duration.ofSeconds(3));
  }

  @Test
  void anUnknownNameIsUnavailable() {
    Address to = new Address("no-such-host.invalid", 7440);
    assertThat(failureOf(hosts.client().call(to, PING, PATIENCE)).reason())
        .isEqualTo(Reason.UNAVAILABLE);
  }

  @Test
  void namesAreLookedUp() throws Exception {
    Address to = new Address("localhost", hosts.server(ECHO).address().port());
    assertThat(get(hosts.client().call(to, PING, PATIENCE))).isEqualTo(PING);
  }

  @Test
  void aServerThatDiesLeavesTheOutcomeUnknownAndIsFoundAgainAfterItsRestart() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    NettyServer first = hosts.server((_, _) -> arrived.countDown());
    NettyTransport client = hosts.client();
    CompletableFuture<Message> pending = client.call(first.address(), PING, PATIENCE);
    assertThat(arrived.await(10, TimeUnit.SECONDS)).isTrue();
    first.close();
    assertFails(pending, Reason.OUTCOME_UNKNOWN, first.address().toString());

    assertFails(client.call(first.address(), PING, PATIENCE), Reason.UNAVAILABLE);
    hosts.server(first.address().port(), ECHO, TransportOptions.DEFAULT);
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> get(client.call(first.address(), PING, PATIENCE)).equals(PING));
  }

  @Test
  void aPeerThatFallsSilentIsGivenUpLongBeforeTheCallsTime() throws Exception {
    ServerSocket socket = hosts.opened(new ServerSocket(0, 10, InetAddress.getLoopbackAddress()));
    Thread.ofVirtual()
        .start(
            () -> {
              try (RawPeer peer = new RawPeer(socket.accept())) {
                peer.receive();
                Hello hello = Hello.of(Hosts.CLUSTER_A, Lane.DATA);
                peer.send(RawPeer.bytes(FrameWriter.hello(hello)));
                while (peer.receive().isPresent()) {
                  // read everything, answer nothing
                }
              } catch (IOException closed) {
                // the test is over
              }
            });
    Address to = new Address("127.0.0.1", socket.getLocalPort());
    TransportOptions options = TransportOptions.DEFAULT.withSilence(Duration.ofMillis(100));
    assertFails(
        hosts.client(options).call(to, PING, Duration.ofSeconds(60)),
        Reason.OUTCOME_UNKNOWN,
        "silent");
  }

  @Test
  void aSlowHandlerIsNotASilentPeer() throws Exception {
    AtomicReference<Runnable> later = new AtomicReference<>();
    Address to = hosts.server((m, reply) -> later.set(() -> reply.send(m))).address();
    TransportOptions options = TransportOptions.DEFAULT.withSilence(Duration.ofMillis(50));
    CompletableFuture<Message> answer = hosts.client(options).call(to, PING, PATIENCE);
    await().pollDelay(Duration.ofMillis(600)).until(() -> later.get() != null);
    assertThat(answer).isNotDone();
    later.get().run();
    assertThat(get(answer)).isEqualTo(PING);
  }

  @Test
  void aServerThatStoppedReadingIsNotASilentPeer() throws Exception {
    ConcurrentLinkedQueue<Runnable> held = new ConcurrentLinkedQueue<>();
    TransportOptions quick = TransportOptions.DEFAULT.withSilence(Duration.ofMillis(50));
    TransportOptions narrow = quick.withLimits(new Limits(1, 1 << 20));
    Address to = hosts.server(0, (m, reply) -> held.add(() -> reply.send(m)), narrow).address();
    NettyTransport client = hosts.client(quick);
    CompletableFuture<Message> answer = client.call(to, PING, PATIENCE);
    await().pollDelay(Duration.ofMillis(600)).until(() -> held.size() == 1);
    assertThat(answer).isNotDone();
    held.remove().run();
    assertThat(get(answer)).isEqualTo(PING);
  }

  @Test
  void aHostOfAnotherClusterIsTurnedAwayWithBothNamesAndTheRemedy() throws Exception {
    Address to = hosts.server(ECHO).address();
    NettyTransport stranger =
        hosts.client(new LocalIdentity("cluster-b", 3, 33), TransportOptions.DEFAULT);
    assertFails(
        stranger.call(to, PING, PATIENCE),
        Reason.REFUSED,
        "cluster-a",
        "cluster-b",
        "check the address");
    NettyTransport newcomer = hosts.client(LocalIdentity.CLIENT, TransportOptions.DEFAULT);
    assertThat(get(newcomer.call(to, PING, PATIENCE))).isEqualTo(PING);
  }

  @Test
  void aHostWithoutClusterIsUnavailableToMembersUntilItHasJoined() throws Exception {
    AtomicReference<LocalIdentity> identity = new AtomicReference<>(LocalIdentity.CLIENT);
    NettyServer newcomer =
        hosts.opened(
            NettyServer.start(
                new Address("127.0.0.1", 0), ECHO, identity::get, TransportOptions.DEFAULT));
    NettyTransport member = hosts.client();
    assertFails(member.call(newcomer.address(), PING, PATIENCE), Reason.UNAVAILABLE, "no cluster");
    identity.set(Hosts.CLUSTER_A);
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> get(member.call(newcomer.address(), PING, PATIENCE)).equals(PING));
  }

  @Test
  void aTakenPortIsBusyAndSaysWhatToDo() {
    NettyServer first = hosts.server(ECHO);
    assertThatThrownBy(() -> hosts.server(first.address().port(), ECHO, TransportOptions.DEFAULT))
        .isInstanceOf(TrefoilException.class)
        .hasMessageContaining("port " + first.address().port() + " is taken")
        .hasMessageContaining("another port")
        .satisfies(e -> assertThat(TrefoilException.of(e).reason()).isEqualTo(Reason.BUSY));
  }

  @Test
  void anAddressOfAnotherMachineCannotBeListenedOn() {
    assertThatThrownBy(
            () ->
                NettyServer.start(
                    new Address("192.0.2.1", 0),
                    ECHO,
                    () -> Hosts.CLUSTER_A,
                    TransportOptions.DEFAULT))
        .hasMessageContaining("not an address of this machine");
  }

  @Test
  void aBlockedDataHandlerDelaysNoControlMessage() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    AtomicInteger blocked = new AtomicInteger();
    Address to = hosts.server(blockWritesUntil(release, blocked)).address();
    NettyTransport[] clients = {hosts.client(), hosts.client(), hosts.client(), hosts.client()};
    for (NettyTransport client : clients) {
      client.call(to, PING, PATIENCE); // enough connections to hold every data thread
    }
    await().atMost(PATIENCE).until(() -> blocked.get() == LaneLoops.threads(Lane.DATA));
    for (NettyTransport client : clients) {
      long startNs = System.nanoTime();
      for (int i = 0; i < 20; i++) {
        get(client.call(to, new Message.MapRequest(i), Duration.ofSeconds(1)));
        get(client.call(to, new Message.FetchChunk(i, new ChunkId(1, 1)), Duration.ofSeconds(1)));
      }
      assertThat(Duration.ofNanos(System.nanoTime() - startNs)).isLessThan(Duration.ofSeconds(1));
    }
    assertThat(release.getCount()).isEqualTo(1);
    release.countDown();
  }

  @Test
  void aHandlerCallsOthersOnTheLoopsThatItRunsOnAndTheyOutliveItsServer() throws Exception {
    Address last = hosts.server(ECHO).address();
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    try (LaneLoops loops = new LaneLoops("shared");
        NettyTransport calls =
            new NettyTransport(() -> Hosts.CLUSTER_A, TransportOptions.DEFAULT, loops)) {
      NettyServer middle =
          NettyServer.start(
              new Address("127.0.0.1", 0),
              (request, reply) -> {
                threads.add(Thread.currentThread());
                calls
                    .call(last, request, PATIENCE)
                    .thenAccept(
                        answer -> {
                          threads.add(Thread.currentThread());
                          reply.send(answer);
                        });
              },
              () -> Hosts.CLUSTER_A,
              TransportOptions.DEFAULT,
              loops);
      assertThat(get(hosts.client().call(middle.address(), PING, PATIENCE))).isEqualTo(PING);
      assertThat(threads).hasSizeLessThanOrEqualTo(LaneLoops.threads(PING.lane()));
      middle.close();
      assertThat(get(calls.call(last, PING, PATIENCE))).isEqualTo(PING);
    }
  }

  @Test
  void aConnectionThatIsFullRefusesTheNextCallAsCertainlyUnsent() {
    Address to = hosts.server((_, _) -> {}).address();
    NettyTransport client =
        hosts.client(TransportOptions.DEFAULT.withLimits(new Limits(10, 1 << 20)));
    List<CompletableFuture<Message>> sent = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      sent.add(client.call(to, PING, PATIENCE));
    }
    assertFails(client.call(to, PING, PATIENCE), Reason.UNAVAILABLE, "full");
    assertThat(sent).noneMatch(CompletableFuture::isDone);
  }

  @Test
  void whatCouldNotBeSentInTimeTakesNoRoomFromWhatComesLater() throws Exception {
    Address to = hosts.server(new NeverReading()).address();
    int bytes = 1 << 20;
    NettyTransport client =
        hosts.client(TransportOptions.DEFAULT.withLimits(new Limits(10_000, 8L * bytes)));
    for (int round = 0; round < 3; round++) {
      List<CompletableFuture<Message>> calls = new ArrayList<>();
      for (int i = 0; i < 40; i++) { // more than fits the sockets' buffers and the queue
        Message data = new Message.Data(ByteBuffer.allocate(bytes));
        calls.add(client.call(to, data, Duration.ofMillis(500)));
      }
      assertThat(calls.stream().filter(CompletableFuture::isDone).count())
          .as("refused in round %d", round)
          .isLessThan(40);
      for (CompletableFuture<Message> call : calls) {
        assertThat(Hosts.failureOf(call).reason()).isIn(Reason.UNAVAILABLE, Reason.OUTCOME_UNKNOWN);
      }
      assertThat(client.queuedBytes()).isZero();
    }
  }

  /** It has no room for anything. */
  private static final class NeverReading implements Transport.Handler {
    @Override
    public void handle(Message request, Transport.Reply reply) {
      reply.send(request);
    }

    @Override
    public Ticket ask(Lane lane, long bytes) {
      CompletableFuture<Void> never = new CompletableFuture<>();
      return new Ticket() {
        @Override
        public CompletableFuture<Void> taken() {
          return never;
        }

        @Override
        public void release() {}
      };
    }
  }

  @Test
  void aReceiverThatIsFullStopsReadingAndServesTheRestLater() throws Exception {
    ConcurrentLinkedQueue<Runnable> held = new ConcurrentLinkedQueue<>();
    TransportOptions small = TransportOptions.DEFAULT.withLimits(new Limits(10_000, 4 << 20));
    Address to = hosts.server(0, (m, reply) -> held.add(() -> reply.send(m)), small).address();
    NettyTransport client = hosts.client();
    List<CompletableFuture<Message>> answers = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      ByteBuffer data = ByteBuffer.allocate(128 << 10);
      answers.add(client.call(to, new Message.Data(data), Duration.ofSeconds(30)));
    }
    await().atMost(PATIENCE).until(() -> held.size() >= 32);
    // 4 MiB and what was in flight when reading stopped, of 50 MiB.
    await().during(Duration.ofMillis(200)).until(() -> held.size() < 64);
    while (answers.stream().anyMatch(answer -> !answer.isDone())) {
      Runnable next = held.poll();
      if (next == null) {
        Thread.onSpinWait();
      } else {
        next.run();
      }
    }
    for (CompletableFuture<Message> answer : answers) {
      assertThat(((Message.Data) get(answer)).bytes().remaining()).isEqualTo(128 << 10);
    }
  }

  @Test
  void callsThatNeverReachedTheSocketAreUnavailableWhenTheirTimeRunsOut() throws Exception {
    ServerSocket mute = hosts.opened(new ServerSocket(0, 10, InetAddress.getLoopbackAddress()));
    Address to = new Address("127.0.0.1", mute.getLocalPort());
    assertFails(
        hosts.client().call(to, PING, Duration.ofMillis(100)),
        Reason.UNAVAILABLE,
        "did not answer within 100 ms");
  }

  @Test
  void closingFailsWhatIsPendingAndWhatComesLater() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    Address to = hosts.server((_, _) -> arrived.countDown()).address();
    NettyTransport client = hosts.client();
    CompletableFuture<Message> pending = client.call(to, PING, PATIENCE);
    arrived.await();
    client.close();
    assertFails(pending, Reason.OUTCOME_UNKNOWN, "closed");
    assertFails(client.call(to, PING, PATIENCE), Reason.UNAVAILABLE, "closed");
    client.send(to, PING);
  }

  @Test
  void oneWayMessagesToNobodyAreLostSilently() throws Exception {
    Address nobody = new Address("127.0.0.1", freePort());
    NettyTransport client = hosts.client();
    client.send(nobody, PING);
    client.send(nobody, PING);
    Address to = hosts.server(ECHO).address();
    assertThat(get(client.call(to, PING, PATIENCE))).isEqualTo(PING);
  }

  private static Transport.Handler recordInto(ConcurrentLinkedQueue<Long> arrived) {
    return (request, reply) -> {
      arrived.add(((Message.Written) request).n());
      reply.send(new Message.Done());
    };
  }

  private static Transport.Handler blockWritesUntil(CountDownLatch release, AtomicInteger blocked) {
    return (request, reply) -> {
      if (request.lane() == Lane.DATA) {
        blocked.incrementAndGet();
        try {
          release.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      reply.send(request);
    };
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
