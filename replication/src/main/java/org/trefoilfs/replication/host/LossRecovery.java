package org.trefoilfs.replication.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.trefoilfs.replication.env.SystemRandom;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.ChangeResult;
import org.trefoilfs.replication.membership.ClusterClient;
import org.trefoilfs.replication.membership.ClusterCommand.ForceReopen;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.LossPlan;

/**
 * The operator's way out when a host is gone for good: finds out what the others hold, and opens
 * groups without it. Its futures fail with UNAVAILABLE when no majority of the state log's voters
 * answers.
 */
public final class LossRecovery {
  /** A host that runs answers in milliseconds; one that does not within this is asked again. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final ClusterClient cluster;
  private final Peers peers;
  private final Supplier<ClusterView> local;
  private final Function<HostId, Silence> silence;
  private final TimeSource time;

  LossRecovery(
      ClusterClient cluster,
      Peers peers,
      Supplier<ClusterView> local,
      Function<HostId, Silence> silence,
      TimeSource time) {
    this.cluster = cluster;
    this.peers = peers;
    this.local = local;
    this.silence = silence;
    this.time = time;
  }

  /**
   * How long this process has heard nothing of a host.
   *
   * @param everHeard whether it ever did; else it has run for so long
   */
  public record Silence(Duration atLeast, boolean everHeard) {}

  public Silence silence(HostId host) {
    return silence.apply(host);
  }

  /**
   * What became of a choice.
   *
   * @param plan what it was made on
   * @param choice its id in the state log; without a record there when nothing was opened
   * @param opened groups that are open now
   * @param refused groups for which the plan no longer held when it was carried out: look again
   */
  public record Outcome(LossPlan plan, long choice, int opened, int refused) {}

  /** What could be opened, as of now. Changes nothing. */
  public CompletableFuture<LossPlan> survey() {
    return cluster.latest(local.get()).thenCompose(this::survey);
  }

  private CompletableFuture<LossPlan> survey(ClusterView view) {
    return LastWrites.ask(peers, LossPlan.toAsk(view), PATIENCE)
        .thenApply(reports -> LossPlan.of(view, reports));
  }

  /** Opens all that can be opened, and has it recorded. */
  public CompletableFuture<Outcome> accept(String operator) {
    return survey().thenCompose(plan -> accept(plan, operator));
  }

  private CompletableFuture<Outcome> accept(LossPlan plan, String operator) {
    long id = SystemRandom.INSTANCE.nextLong();
    long atMillis = TimeUnit.NANOSECONDS.toMillis(time.wallNanos());
    CompletableFuture<List<ChangeResult>> all = CompletableFuture.completedFuture(List.of());
    for (ForceReopen command : plan.commands(id, atMillis, operator)) {
      all =
          all.thenCombine(
              all.thenCompose(_ -> cluster.forceReopen(command)), LossRecovery::concatenated);
    }
    return all.thenApply(
        results -> {
          int opened =
              (int) results.stream().filter(ChangeResult.Applied.class::isInstance).count();
          return new Outcome(plan, id, opened, results.size() - opened);
        });
  }

  private static <T> List<T> concatenated(List<T> first, List<T> second) {
    List<T> both = new ArrayList<>(first);
    both.addAll(second);
    return both;
  }
}
