package org.trefoilfs.replication.statelog;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.SystemTime;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

@Timeout(20)
class StateLogRouterTest {
  private static final Address ONE = new Address("one", 1);
  private static final Address TWO = new Address("two", 2);
  private static final Message OK = new Message.StateReply(new byte[] {42});

  private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
  private final MemoryTransport transport = new MemoryTransport();

  @AfterEach
  void stop() {
    scheduler.shutdownNow();
  }

  @Test
  void aHintIsFollowedAndTheLeaderRemembered() {
    AtomicInteger askedOne = new AtomicInteger();
    transport.handlers.put(
        ONE,
        (request, reply) -> {
          askedOne.incrementAndGet();
          reply.send(new Message.Failed(Reason.NOT_LEADER, "not me", TWO.toString()));
        });
    transport.handlers.put(TWO, (request, reply) -> reply.send(OK));
    StateLogRouter router = router(Duration.ofSeconds(10), ONE);
    for (int i = 0; i < 5; i++) {
      assertThat(get(router.submit((byte) 7, new byte[0]))).containsExactly(42);
    }
    assertThat(askedOne).hasValue(1);
  }

  @Test
  void hostsThatCannotBeReachedArePassedOver() {
    transport.handlers.put(TWO, (request, reply) -> reply.send(OK));
    StateLogRouter router = router(Duration.ofSeconds(10), ONE, TWO);
    assertThat(get(router.query((byte) 7, new byte[0]))).containsExactly(42);
  }

  @Test
  void withNobodyToAskItFailsAtTheDeadlineWithNothingDone() {
    assertThat(reasonOf(router(Duration.ofMillis(200), ONE).submit((byte) 7, new byte[0])))
        .isEqualTo(Reason.UNAVAILABLE);
  }

  @Test
  void hostsThatPointAtEachOtherAreNotAskedWithoutEnd() {
    AtomicInteger asked = new AtomicInteger();
    transport.handlers.put(ONE, pointsAt(TWO, asked));
    transport.handlers.put(TWO, pointsAt(ONE, asked));
    assertThat(reasonOf(router(Duration.ofMillis(500), ONE).submit((byte) 7, new byte[0])))
        .isEqualTo(Reason.UNAVAILABLE);
    assertThat(asked.get()).isBetween(4, 80);
  }

  @Test
  void aCommandThatMayHaveArrivedEndsAsUnknownAndAQueryAsUnavailable() {
    transport.handlers.put(ONE, (request, reply) -> reply.send(OK));
    transport.mute.add(ONE);
    StateLogRouter router = router(Duration.ofMillis(300), ONE);
    assertThat(reasonOf(router.submit((byte) 7, new byte[0]))).isEqualTo(Reason.OUTCOME_UNKNOWN);
    assertThat(reasonOf(router.query((byte) 7, new byte[0]))).isEqualTo(Reason.UNAVAILABLE);
  }

  @Test
  void aCommandOfUnknownOutcomeIsSentAgain() {
    AtomicInteger arrived = new AtomicInteger();
    answersTheSecondTime(ONE, arrived);
    StateLogRouter router = router(Duration.ofSeconds(10), ONE);
    assertThat(get(router.submit((byte) 7, new byte[0]))).containsExactly(42);
    assertThat(arrived).hasValue(2);
  }

  @Test
  void aLeaderThatIsSilentIsNotAskedAgainThoughOthersStillNameIt() {
    AtomicInteger askedOne = new AtomicInteger();
    AtomicInteger askedTwo = new AtomicInteger();
    transport.handlers.put(
        ONE,
        (request, reply) -> {
          askedOne.incrementAndGet();
          reply.send(OK);
        });
    Transport.Handler beforeTheElection = pointsAt(ONE, askedTwo);
    transport.handlers.put(
        TWO,
        (request, reply) -> {
          if (askedTwo.get() < 3) {
            beforeTheElection.handle(request, reply);
          } else {
            reply.send(OK);
          }
        });
    StateLogRouter router = router(Duration.ofSeconds(10), Duration.ofSeconds(2), ONE, TWO);
    assertThat(get(router.submit((byte) 7, new byte[0]))).containsExactly(42);
    transport.mute.add(ONE);
    askedOne.set(0);
    assertThat(get(router.submit((byte) 7, new byte[0]))).containsExactly(42);
    assertThat(askedOne).hasValue(1);
    assertThat(askedTwo).hasValue(3);
  }

  @Test
  void aHostThatWasSilentIsAskedAgainAfterAWhile() {
    AtomicInteger arrived = new AtomicInteger();
    answersTheSecondTime(ONE, arrived);
    transport.handlers.put(TWO, pointsAt(ONE, new AtomicInteger()));
    StateLogRouter router = router(Duration.ofSeconds(10), ONE, TWO);
    assertThat(get(router.query((byte) 7, new byte[0]))).containsExactly(42);
    assertThat(arrived).hasValue(2);
  }

  @Test
  void aModulesRefusalIsFinal() {
    AtomicInteger asked = new AtomicInteger();
    transport.handlers.put(
        ONE,
        (request, reply) -> {
          asked.incrementAndGet();
          reply.send(new Message.Failed(Reason.EXISTS, "there is one", ""));
        });
    assertThat(reasonOf(router(Duration.ofSeconds(10), ONE).submit((byte) 7, new byte[0])))
        .isEqualTo(Reason.EXISTS);
    assertThat(asked).hasValue(1);
  }

  private void answersTheSecondTime(Address host, AtomicInteger arrived) {
    transport.mute.add(host);
    transport.handlers.put(
        host,
        (request, reply) -> {
          if (arrived.incrementAndGet() == 2) {
            transport.mute.remove(host);
          }
          reply.send(OK);
        });
  }

  private static Transport.Handler pointsAt(Address other, AtomicInteger asked) {
    return (request, reply) -> {
      asked.incrementAndGet();
      reply.send(new Message.Failed(Reason.NOT_LEADER, "not me", other.toString()));
    };
  }

  private StateLogRouter router(Duration timeout, Address... known) {
    return router(timeout, Duration.ofMillis(200), known);
  }

  private StateLogRouter router(Duration timeout, Duration attempt, Address... known) {
    return new StateLogRouter(
        Optional.empty(),
        transport,
        new StateLogRouter.Hosts(() -> List.of(known), host -> Optional.empty()),
        new StateLogRouter.Timing(timeout, attempt, SystemTime.INSTANCE, scheduler));
  }

  private static byte[] get(CompletableFuture<byte[]> future) {
    return future.orTimeout(15, SECONDS).join();
  }

  private static Reason reasonOf(CompletableFuture<?> future) {
    return TrefoilException.of(
            future.handle((value, failure) -> failure).orTimeout(15, SECONDS).join())
        .reason();
  }
}
