package org.trefoilfs.tools.recover;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.host.LossRecovery.Silence;
import org.trefoilfs.replication.membership.AcceptedLoss;
import org.trefoilfs.replication.membership.ClusterView;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.HostInfo;
import org.trefoilfs.replication.membership.LossPlan;
import org.trefoilfs.replication.membership.LossPlan.Way;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.tools.library.ClusterSnapshot;
import org.trefoilfs.tools.recover.RecoverReport.Closed;
import org.trefoilfs.tools.recover.RecoverReport.ClosedGroup;
import org.trefoilfs.tools.recover.RecoverReport.Done;
import org.trefoilfs.tools.recover.RecoverReport.Held;
import org.trefoilfs.tools.recover.RecoverReport.Holder;
import org.trefoilfs.tools.recover.RecoverReport.Loss;
import org.trefoilfs.tools.recover.RecoverReport.MissingHost;
import org.trefoilfs.tools.recover.RecoverReport.Pool;

/** Counts a plan and puts it into words. Pure. */
public final class RecoverBuilder {
  private RecoverBuilder() {}

  public static RecoverReport build(
      LossPlan plan, Function<HostId, Silence> silence, @Nullable Done done) {
    List<MissingHost> missing =
        plan.missing().stream().map(host -> missing(host, silence.apply(host.id()))).toList();
    Loss loss = new Loss(missing, pools(plan), holders(plan), groups(plan));
    return new RecoverReport(loss, RecoverNotes.of(plan), done);
  }

  private static MissingHost missing(HostInfo host, Silence silence) {
    return new MissingHost(
        host.id().toString(),
        host.name(),
        host.address().toString(),
        silence.atLeast().toSeconds(),
        silence.everHeard());
  }

  private static List<Pool> pools(LossPlan plan) {
    TreeMap<Integer, List<LossPlan.Closed>> closedOf = new TreeMap<>();
    for (LossPlan.Closed closed : plan.closed()) {
      closedOf.computeIfAbsent(Pools.pool(closed.group().pg()), _ -> new ArrayList<>()).add(closed);
    }
    List<Pool> pools = new ArrayList<>();
    closedOf.forEach(
        (replicas, closed) ->
            pools.add(
                new Pool(
                    replicas, volumes(plan.view(), replicas), 1 << bits(plan), count(closed))));
    return pools;
  }

  private static int bits(LossPlan plan) {
    return plan.view().placement().bits();
  }

  private static List<String> volumes(ClusterView view, int replicas) {
    return view.volumes().values().stream()
        .filter(volume -> volume.replicas() == replicas)
        .map(volume -> volume.name())
        .toList();
  }

  private static Closed count(Collection<LossPlan.Closed> closed) {
    return new Closed(
        closed.size(),
        count(closed, Way.ACCEPT_LOSS),
        count(closed, Way.ASK_AGAIN),
        count(closed, Way.NONE),
        count(closed, Way.OPENS_ALONE));
  }

  static int count(Collection<LossPlan.Closed> closed, Way way) {
    return (int) closed.stream().filter(group -> group.way() == way).count();
  }

  private static List<Holder> holders(LossPlan plan) {
    TreeMap<HostId, int[]> counts = new TreeMap<>();
    for (LossPlan.Closed closed : plan.closed()) {
      List<HostId> latest = closed.latest();
      for (HostId host : closed.held().keySet()) {
        counts.computeIfAbsent(host, _ -> new int[2])[latest.contains(host) ? 0 : 1]++;
      }
    }
    List<Holder> holders = new ArrayList<>();
    counts.forEach(
        (host, count) ->
            holders.add(
                new Holder(name(plan.view(), host), count[0] + count[1], count[0], count[1])));
    return holders;
  }

  private static List<ClosedGroup> groups(LossPlan plan) {
    return plan.closed().stream().map(closed -> group(plan.view(), closed)).toList();
  }

  private static ClosedGroup group(ClusterView view, LossPlan.Closed closed) {
    List<HostId> latest = closed.latest();
    List<Held> held = new ArrayList<>();
    for (Map.Entry<HostId, Version> each : new TreeMap<>(closed.held()).entrySet()) {
      Version last = each.getValue();
      held.add(
          new Held(
              name(view, each.getKey()), last.view(), last.n(), latest.contains(each.getKey())));
    }
    return new ClosedGroup(
        Pools.pool(closed.group().pg()),
        Pools.number(closed.group().pg()),
        closed.way().name().toLowerCase(Locale.ROOT).replace('_', '-'),
        closed.missing().stream().map(host -> name(view, host)).toList(),
        held);
  }

  static String name(ClusterView view, HostId host) {
    return view.host(host).map(HostInfo::name).orElse(host.toString());
  }

  // ---- what was accepted before

  public static LossHistory history(ClusterSnapshot snapshot) {
    Map<HostId, String> names = new TreeMap<>();
    snapshot.hosts().forEach(host -> names.put(host.id(), host.name()));
    return new LossHistory(
        byTime(snapshot).stream()
            .map(
                loss ->
                    new LossHistory.Entry(
                        line(loss),
                        loss.opened().stream()
                            .map(
                                group ->
                                    new LossHistory.Opened(
                                        Pools.pool(group.pg()),
                                        Pools.number(group.pg()),
                                        names.getOrDefault(group.from(), group.from().toString())))
                            .toList()))
            .toList());
  }

  /** The same without each group. */
  public static List<LossHistory.Line> lines(ClusterSnapshot snapshot) {
    return byTime(snapshot).stream().map(RecoverBuilder::line).toList();
  }

  private static List<AcceptedLoss> byTime(ClusterSnapshot snapshot) {
    return snapshot.losses().stream()
        .sorted(Comparator.comparingLong(AcceptedLoss::epoch))
        .toList();
  }

  private static LossHistory.Line line(AcceptedLoss loss) {
    return new LossHistory.Line(
        id(loss.id()),
        Instant.ofEpochMilli(loss.atMillis()).toString(),
        loss.operator(),
        loss.missing().stream().map(AcceptedLoss.MissingHost::name).toList(),
        loss.opened().size());
  }

  /** A choice's id as people see it. */
  public static String id(long choice) {
    return String.format(Locale.ROOT, "%016x", choice);
  }
}
