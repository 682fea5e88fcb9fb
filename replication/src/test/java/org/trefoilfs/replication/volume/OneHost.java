package org.trefoilfs.replication.volume;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PlacementMap;
import org.trefoilfs.replication.placement.Reopened;
import org.trefoilfs.replication.transport.Message;

/** Every group has one member, which answers when the test says so. */
final class OneHost implements ReplicatedVolume.Cluster, PlacementMap {
  private static final HostId PRIMARY = new HostId(1);

  /** A call, which may take so long. */
  record Asked(Message request, Duration timeout, CompletableFuture<Message> answer) {}

  private final List<Asked> open = new ArrayList<>();
  private long operations;
  private long now;
  Reopened reopened = Reopened.NEVER;

  List<Message> asked() {
    return open.stream().map(Asked::request).toList();
  }

  List<Asked> take() {
    List<Asked> taken = List.copyOf(open);
    open.clear();
    return taken;
  }

  void answerAll() {
    answerAll(new Message.Written(1, 1));
  }

  void answerAll(Message.Written written) {
    for (Asked asked : take()) {
      asked
          .answer()
          .complete(asked.request() instanceof Message.Write ? written : new Message.Done());
    }
  }

  /** The time of the one call that is open is over: how much it had. */
  Duration expire() {
    Asked asked = take().getFirst();
    now += asked.timeout().toNanos();
    asked
        .answer()
        .completeExceptionally(new TrefoilException(Reason.OUTCOME_UNKNOWN, "no answer in time"));
    return asked.timeout();
  }

  void failAll(TrefoilException why) {
    take().forEach(asked -> asked.answer().completeExceptionally(why));
  }

  @Override
  public PlacementMap placement() {
    return this;
  }

  @Override
  public CompletableFuture<Message> call(HostId to, Message request, Duration timeout) {
    CompletableFuture<Message> answer = new CompletableFuture<>();
    open.add(new Asked(request, timeout, answer));
    return answer;
  }

  @Override
  public CompletableFuture<Void> refresh(long epoch) {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public Optional<HostId> self() {
    return Optional.empty();
  }

  @Override
  public OperationId nextOperation() {
    return new OperationId(1, ++operations);
  }

  @Override
  public int minInSync() {
    return 1;
  }

  @Override
  public Duration timeout() {
    return Duration.ofSeconds(30);
  }

  @Override
  public Duration attempt() {
    return Duration.ofSeconds(1);
  }

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public CompletableFuture<Void> pause(Duration pause) {
    now += pause.toNanos();
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public long epoch() {
    return 1;
  }

  @Override
  public int bits() {
    return 4;
  }

  @Override
  public Optional<PgView> group(int pg) {
    return Optional.of(
        new PgView(pg, 9, PRIMARY, List.of(new PgView.Member(PRIMARY, 1)), List.of(), reopened));
  }

  @Override
  public Collection<PgView> groups() {
    return List.of();
  }
}
