package org.trefoilfs.replication.commit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.chunk.ChunkId;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Pools;
import org.trefoilfs.replication.transport.Message;

/**
 * The protocol under crashes, partitions and delays, on simulated time. Every block has one writer,
 * which writes growing numbers: so a read must not return less than what was acknowledged, or read,
 * before it began, nor more than what was begun before it ended.
 */
class CommitSimulationTest {
  private static final int CHUNKS = 3;
  private static final int BLOCKS = 3;
  private static final long SECOND = 1_000_000_000L;

  @Test
  void nothingAcknowledgedIsLostOrStaleUnderCrashesAndPartitions() {
    long first = Long.getLong("trefoil.seed", new Random().nextLong() >>> 16);
    int runs = Integer.getInteger("trefoil.seeds", 150);
    AtomicInteger writes = new AtomicInteger();
    AtomicInteger told = new AtomicInteger();
    AtomicInteger compared = new AtomicInteger();
    for (long seed = first; seed < first + runs; seed++) {
      Run run = new Run(seed, 3 + (int) (seed & 1), 3);
      writes.addAndGet(run.play());
      told.addAndGet(run.cluster.changesTold);
      compared.addAndGet(run.cluster.allCompared);
    }
    System.out.println("joiners told what changed " + told + ", told to compare all " + compared);
    assertThat(told.get()).isGreaterThan(compared.get());
    System.out.println("seeds " + first + " + " + runs + ": " + writes + " writes acknowledged");
    assertThat(writes.get()).isGreaterThan(runs * 20);
  }

  /** One simulation. */
  private static final class Run {
    private final long seed;
    private final SimCluster cluster;
    private final Random random;
    private final List<Register> registers = new ArrayList<>();
    private int acknowledged;
    private boolean calm;
    private long operations;

    /** What is known of one block. */
    private static final class Register {
      final ChunkId chunk;
      final int block;
      long begun;
      long settled;
      boolean writing;

      Register(ChunkId chunk, int block) {
        this.chunk = chunk;
        this.block = block;
      }
    }

    Run(long seed, int hosts, int replicas) {
      this.seed = seed;
      cluster = new SimCluster(seed, hosts, replicas);
      random = cluster.network.random;
      for (int c = 0; c < CHUNKS; c++) {
        for (int b = 0; b < BLOCKS; b++) {
          registers.add(new Register(SimCluster.chunk(c), b));
        }
      }
    }

    int play() {
      try {
        for (int step = 0; step < 40; step++) {
          cluster.network.runUntil(cluster.network.now() + random.nextInt(800) * 1_000_000L);
          fault();
          for (int i = 0; i < 6; i++) {
            operate(registers.get(random.nextInt(registers.size())));
          }
        }
        calmDown();
        compareReplicas();
        return acknowledged;
      } catch (AssertionError | RuntimeException e) {
        int from = Math.max(0, cluster.trace.size() - Integer.getInteger("trefoil.lines", 400));
        throw new AssertionError(
            "seed "
                + seed
                + " failed; replay with -Dtrefoil.seeds=1 -Dtrefoil.seed="
                + seed
                + "\n"
                + String.join("\n", cluster.trace.subList(from, cluster.trace.size())),
            e);
      }
    }

    private void fault() {
      SimHost victim = cluster.hosts.get(random.nextInt(cluster.hosts.size()));
      int other = random.nextInt(cluster.hosts.size() + 1);
      switch (random.nextInt(10)) {
        case 0, 1 -> {
          if (victim.running) {
            victim.crash();
          }
        }
        case 2, 3, 4 ->
            cluster.hosts.stream()
                .filter(host -> !host.running)
                .findAny()
                .ifPresent(SimHost::start);
        case 5 -> {
          if (other != victim.id.value()) {
            cluster.trace("cut " + victim.id + " - " + other);
            cluster.network.cut(victim.id.value(), other);
          }
        }
        case 6 -> {
          if (other != victim.id.value()) {
            cluster.trace("cut one way " + victim.id + " > " + other);
            cluster.network.cutOneWay(victim.id.value(), other);
          }
        }
        case 7, 8 -> {
          cluster.trace("links heal");
          cluster.network.heal();
        }
        default -> {}
      }
    }

    private void operate(Register register) {
      SimHost client = cluster.hosts.get(random.nextInt(cluster.hosts.size()));
      if (!client.running) {
        return;
      }
      if (!register.writing && random.nextBoolean()) {
        register.writing = true;
        long value = ++register.begun;
        cluster.trace("begin write " + register.chunk + "/" + register.block + " = " + value);
        write(register, value, new OperationId(1, ++operations));
      } else {
        read(register, client, register.settled);
      }
    }

    /**
     * The writer lives on: it tries again through whichever host runs, under the same operation id.
     */
    private void write(Register register, long value, OperationId operation) {
      List<SimHost> up = cluster.hosts.stream().filter(host -> host.running).toList();
      SimHost client = up.isEmpty() ? null : up.get(random.nextInt(up.size()));
      PgView view =
          client == null
              ? null
              : client.known().placement().group(group(register.chunk)).orElse(null);
      if (view == null || !view.isOpen()) {
        cluster.network.after(50_000_000, () -> write(register, value, operation));
        return;
      }
      Mutation mutation =
          new Mutation.Write(
              register.chunk, register.block * ChunkId.BLOCK, SimCluster.data(value));
      boolean[] over = {false};
      Runnable again =
          () -> {
            if (!over[0]) {
              over[0] = true;
              cluster.network.after(20_000_000, () -> write(register, value, operation));
            }
          };
      cluster.network.after(1_200_000_000L, again);
      HostId primary = view.primary();
      cluster.call(
          client,
          primary,
          new Message.Write(view.pg(), view.view(), operation, mutation),
          answer -> {
            if (!over[0]) {
              over[0] = true;
              cluster.trace(
                  "acknowledged "
                      + register.chunk
                      + "/"
                      + register.block
                      + " = "
                      + value
                      + " "
                      + answer);
              register.settled = Math.max(register.settled, value);
              register.writing = false;
              acknowledged++;
            }
          },
          _ -> again.run());
    }

    private void read(Register register, SimHost client, long atLeast) {
      PgView view = client.known().placement().group(group(register.chunk)).orElse(null);
      if (view == null || !view.isOpen()) {
        return;
      }
      HostId from = view.inSync().get(random.nextInt(view.inSync().size())).host();
      cluster.call(
          client,
          from,
          new Message.Read(
              view.pg(), view.view(), register.chunk, register.block * ChunkId.BLOCK, 8),
          answer -> {
            long value = SimCluster.value(((Message.Data) answer).bytes());
            assertThat(value)
                .as("read of %s/%s at %s", register.chunk, register.block, from)
                .isBetween(atLeast, register.begun);
            register.settled = Math.max(register.settled, value);
          },
          _ -> {});
    }

    private void calmDown() {
      cluster.trace("calm");
      cluster.network.heal();
      cluster.hosts.stream().filter(host -> !host.running).forEach(SimHost::start);
      long deadline = cluster.network.now() + 60 * SECOND;
      while (!calm) {
        assertThat(cluster.network.now())
            .as("all in sync within 60 s of calm; now %s", cluster.view().placement().groups())
            .isLessThan(deadline);
        cluster.network.runUntil(cluster.network.now() + SECOND / 10);
        calm =
            registers.stream().noneMatch(register -> register.writing)
                && cluster.view().placement().groups().stream()
                    .allMatch(
                        view ->
                            view.isOpen()
                                && view.inSync().size() == cluster.replicas
                                && view.joining().isEmpty());
      }
      cluster.network.runUntil(cluster.network.now() + 3 * SECOND);
      registers.forEach(register -> read(register, cluster.hosts.getFirst(), register.settled));
      cluster.network.runUntil(cluster.network.now() + SECOND);
    }

    private void compareReplicas() {
      for (Register register : registers) {
        PgView view = cluster.view().placement().group(group(register.chunk)).orElseThrow();
        for (PgView.Member member : view.inSync()) {
          assertThat(cluster.host(member.host()).block(register.chunk, register.block))
              .as("%s/%s at %s", register.chunk, register.block, member.host())
              .isEqualTo(register.settled);
        }
      }
    }

    private int group(ChunkId chunk) {
      return Pools.groupOf(chunk, cluster.replicas, SimCluster.GROUPS_BITS);
    }
  }
}
