package org.trefoilfs.replication.statelog;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.statelog.lease.LeaseNews;
import org.trefoilfs.replication.statelog.lease.LeaseReport;
import org.trefoilfs.replication.statelog.lease.LeasedReply;
import org.trefoilfs.replication.transport.Message;
import org.trefoilfs.replication.transport.Transport;

/**
 * The state log for those who do not know who leads: finds the leader, and finds it again when it
 * changes.
 *
 * <p>A command whose outcome is unknown is sent again until the deadline. That is safe because
 * every command carries its own operation id, by which its module answers a repetition from its
 * reply cache; a module whose commands are not idempotent in this way must not be used through a
 * router.
 *
 * <p>Futures complete on a transport, timer or applying thread: whoever continues on them must not
 * block.
 */
public final class StateLogRouter implements StateLog {
  /** Requests under way; beyond, callers are told UNAVAILABLE at once. */
  private static final int PENDING_MAX = 16_384;

  private final Optional<LocalStateLog> local;
  private final Transport transport;
  private final Hosts hosts;
  private final Timing timing;
  private final AtomicInteger pending = new AtomicInteger();
  private final AtomicInteger turn = new AtomicInteger();
  private volatile @Nullable Address leader;
  private volatile @Nullable Silent silent;

  /**
   * A host that was asked last and did not answer. Until then it is passed over, whoever says that
   * it leads: for as long as an election takes, the others still name a leader that is dead.
   */
  private record Silent(Address host, long untilNanos) {}

  /**
   * Who can be asked.
   *
   * @param known addresses of hosts that may lead or know who does; asked again for every attempt
   * @param addressOf where a host serves this program's protocol
   */
  public record Hosts(
      Supplier<List<Address>> known, Function<HostId, Optional<Address>> addressOf) {}

  /**
   * How long things may take.
   *
   * @param timeout until a call fails
   * @param attempt until one host's answer is no longer waited for: about as long as it takes to
   *     elect another leader, which a call to the old one then finds at once. It is passed over for
   *     half as long again, and no longer, as it may have been slow and lead still
   * @param scheduler runs the short waits between attempts
   */
  public record Timing(
      Duration timeout, Duration attempt, TimeSource time, ScheduledExecutorService scheduler) {
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
    public static final Duration DEFAULT_ATTEMPT = Duration.ofSeconds(1);

    public Timing(TimeSource time, ScheduledExecutorService scheduler) {
      this(DEFAULT_TIMEOUT, DEFAULT_ATTEMPT, time, scheduler);
    }
  }

  /**
   * @param local this host's own replica; it is asked without a message while it leads
   */
  public StateLogRouter(
      Optional<LocalStateLog> local, Transport transport, Hosts hosts, Timing timing) {
    this.local = local;
    this.transport = transport;
    this.hosts = hosts;
    this.timing = timing;
  }

  @Override
  public CompletableFuture<byte[]> submit(byte module, byte[] command) {
    return route(
        new RoutedCall.Request(
            new Message.StateSubmit(module, command), log -> log.submit(module, command), true));
  }

  @Override
  public CompletableFuture<byte[]> query(byte module, byte[] query) {
    return route(
        new RoutedCall.Request(
            new Message.StateQuery(module, query), log -> log.query(module, query), false));
  }

  @Override
  public CompletableFuture<LeasedReply> lease(
      byte module, byte[] query, long session, boolean wanted) {
    return route(
            new RoutedCall.Request(
                new Message.StateLease(module, session, wanted, query),
                log -> log.lease(module, query, session, wanted).thenApply(LeasedReply::toBytes),
                false))
        .thenApply(LeasedReply::of);
  }

  @Override
  public CompletableFuture<LeaseNews> keepLeases(LeaseReport report) {
    return route(
            new RoutedCall.Request(
                new Message.StateKeepLeases(report.toBytes()),
                log -> log.keepLeases(report).thenApply(LeaseNews::toBytes),
                false))
        .thenApply(LeaseNews::of);
  }

  private CompletableFuture<byte[]> route(RoutedCall.Request request) {
    if (pending.incrementAndGet() > PENDING_MAX) {
      pending.decrementAndGet();
      return CompletableFuture.failedFuture(
          new TrefoilException(
              Reason.UNAVAILABLE,
              PENDING_MAX + " requests to the state log wait already; slow down and try again"));
    }
    RoutedCall call = new RoutedCall(this, request, timing);
    call.attempt();
    return call.result().whenComplete((reply, failure) -> pending.decrementAndGet());
  }

  /** Sends one attempt to whoever seems to lead. */
  CompletableFuture<byte[]> send(RoutedCall.Request request, Duration timeout) {
    Optional<LocalStateLog> here = local.filter(LocalStateLog::isLeader);
    if (here.isPresent()) {
      return request
          .inProcess()
          .apply(here.get())
          .orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS)
          .exceptionallyCompose(StateLogRouter::lateIsUnknown);
    }
    Optional<Address> target = target();
    if (target.isEmpty()) {
      return CompletableFuture.failedFuture(
          new TrefoilException(Reason.UNAVAILABLE, "no host of the cluster is known"));
    }
    Address asked = target.get();
    return transport
        .call(asked, request.message(), timeout)
        .thenApply(
            answer -> {
              byte[] reply = body(answer);
              leader = asked;
              return reply;
            })
        .whenComplete((_, failure) -> noteWhether(asked, failure == null || answers(failure)));
  }

  private static boolean answers(Throwable failure) {
    return switch (TrefoilException.of(failure).reason()) {
      // REFUSED: a stale address may belong to another cluster by now.
      case UNAVAILABLE, REFUSED, OUTCOME_UNKNOWN -> false;
      default -> true;
    };
  }

  private void noteWhether(Address asked, boolean answers) {
    if (!answers) {
      silent = new Silent(asked, timing.time().nanoTime() + timing.attempt().toNanos() / 2);
      if (asked.equals(leader)) {
        leader = null;
      }
    } else if (isSilent(asked)) {
      silent = null;
    }
  }

  private boolean isSilent(Address host) {
    Silent now = silent;
    return now != null
        && now.host().equals(host)
        && now.untilNanos() - timing.time().nanoTime() > 0;
  }

  private Optional<Address> target() {
    Address believed = leader;
    if (believed != null) {
      return Optional.of(believed);
    }
    Optional<Address> told =
        local
            .flatMap(LocalStateLog::leader)
            .flatMap(hosts.addressOf())
            .filter(host -> !isSilent(host));
    List<Address> known = candidates();
    // Every other turn goes round the hosts: what the local replica believes may be out of date.
    int now = turn.getAndIncrement();
    if (known.isEmpty() || (told.isPresent() && now % 2 == 0)) {
      return told;
    }
    return Optional.of(known.get(Math.floorMod(now, known.size())));
  }

  /** Those that answer; all, when there are no others. */
  private List<Address> candidates() {
    List<Address> known = hosts.known().get();
    List<Address> answering = known.stream().filter(host -> !isSilent(host)).toList();
    return answering.isEmpty() ? known : answering;
  }

  /**
   * A host that does not lead says who does, or that it does not know. Whether there is somebody to
   * ask at once.
   */
  boolean pointedTo(@Nullable Address hint) {
    boolean worthAsking = hint != null && !isSilent(hint);
    leader = worthAsking ? hint : null;
    return worthAsking;
  }

  private static CompletableFuture<byte[]> lateIsUnknown(Throwable failure) {
    return CompletableFuture.failedFuture(
        failure instanceof TimeoutException
            ? new TrefoilException(
                Reason.OUTCOME_UNKNOWN, "this host's state log did not answer in time", failure)
            : failure);
  }

  private static byte[] body(Message answer) {
    return switch (answer) {
      case Message.StateReply(byte[] reply) -> reply;
      case Message.Failed(Reason reason, String message, String hint) ->
          throw TrefoilException.withHint(reason, message, hint);
      default ->
          throw new TrefoilException(
              Reason.INTERNAL, "the state log answered " + answer.getClass().getSimpleName());
    };
  }
}
