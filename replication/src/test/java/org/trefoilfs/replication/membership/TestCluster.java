package org.trefoilfs.replication.membership;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.env.TimeSource;
import org.trefoilfs.replication.membership.ClusterCommand.Change;
import org.trefoilfs.replication.membership.ClusterCommand.ChangeViews;
import org.trefoilfs.replication.membership.ClusterCommand.CreateCluster;
import org.trefoilfs.replication.membership.ClusterCommand.CreatePool;
import org.trefoilfs.replication.membership.ClusterCommand.HostStarted;
import org.trefoilfs.replication.membership.ClusterCommand.HostsLost;
import org.trefoilfs.replication.membership.ClusterCommand.RegisterHost;
import org.trefoilfs.replication.membership.ClusterCommand.Reopen;
import org.trefoilfs.replication.membership.ClusterCommand.ReopenGroups;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.PgView.Member;
import org.trefoilfs.replication.placement.Placement;
import org.trefoilfs.replication.statelog.InMemoryKeyValue;
import org.trefoilfs.replication.statelog.StateLog;

/** A state log of one, in memory: the module with its rows, refused commands undone. */
final class TestCluster implements StateLog {
  final ClusterModule module = new ClusterModule();
  InMemoryKeyValue rows = new InMemoryKeyValue();

  /** Each command is applied twice, as if the first answer had been lost. */
  boolean answersGetLost;

  /** A cluster with 2^bits groups in a pool and running hosts 1 to n, each under incarnation 1. */
  static TestCluster of(int bits, int hosts) {
    TestCluster cluster = new TestCluster();
    cluster.run(new CreateCluster("test", bits));
    for (int i = 1; i <= hosts; i++) {
      cluster.register("host-" + i, false);
      cluster.start(i, 1);
    }
    return cluster;
  }

  byte[] run(ClusterCommand command) {
    InMemoryKeyValue before = rows.copy();
    try {
      byte[] reply = module.apply(rows, command.encode());
      module.applied(rows);
      return reply;
    } catch (TrefoilException e) {
      rows = before;
      throw e;
    }
  }

  static Reason refusal(Runnable action) {
    try {
      action.run();
    } catch (TrefoilException e) {
      return e.reason();
    }
    throw new AssertionError("was not refused");
  }

  ClusterView view() {
    return module.view();
  }

  HostId register(String name, boolean witness) {
    int port = 1000 + view().hosts().size();
    byte[] reply =
        run(
            new RegisterHost(
                name, new Address(name, port), new Address(name, port + 1), witness, 1, name));
    return new HostId(reply[3]);
  }

  void start(int host, long incarnation, Member... live) {
    HostInfo info = host(host);
    run(new HostStarted(info.id(), incarnation, info.address(), info.raftAddress(), Set.of(live)));
  }

  void lose(int host) {
    Member member = new Member(new HostId(host), host(host).incarnation());
    run(new HostsLost(view().epoch(), List.of(member)));
  }

  HostInfo host(int id) {
    return view().host(new HostId(id)).orElseThrow();
  }

  void createPool(int replicas) {
    run(
        new CreatePool(
            replicas,
            Placement.initial(replicas, view().placement().bits(), view().hosts().values())));
  }

  PgView group(int pg) {
    return view().placement().group(pg).orElseThrow();
  }

  ChangeResult change(PgView next) {
    return change(next.view() - 1, next);
  }

  ChangeResult change(long expected, PgView next) {
    byte[] reply = run(new ChangeViews(List.of(new Change(expected, next))));
    return ChangeResult.decode(reply).getFirst();
  }

  ChangeResult reopen(int pg, Member member, HostId... joiners) {
    return reopen(pg, List.of(member), joiners);
  }

  ChangeResult reopen(int pg, List<Member> members, HostId... joiners) {
    Reopen reopen =
        new Reopen(
            pg, group(pg).view(), members, Arrays.asList(joiners), Optional.of(new Version(3, 4)));
    return ChangeResult.decode(run(new ReopenGroups(List.of(reopen)))).getFirst();
  }

  static Member member(int host, long incarnation) {
    return new Member(new HostId(host), incarnation);
  }

  static HostId id(int host) {
    return new HostId(host);
  }

  @Override
  public CompletableFuture<byte[]> submit(byte id, byte[] command) {
    try {
      if (answersGetLost) {
        run(ClusterCommand.decode(command));
      }
      return CompletableFuture.completedFuture(run(ClusterCommand.decode(command)));
    } catch (TrefoilException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public CompletableFuture<byte[]> query(byte id, byte[] query) {
    return CompletableFuture.completedFuture(module.query(rows, query));
  }

  /** A clock that a test moves. */
  static final class Clock implements TimeSource {
    long nanos;

    @Override
    public long nanoTime() {
      return nanos;
    }

    @Override
    public long wallNanos() {
      return nanos;
    }

    void advanceMillis(long millis) {
      nanos += millis * 1_000_000;
    }
  }
}
