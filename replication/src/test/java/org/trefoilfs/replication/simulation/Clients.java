package org.trefoilfs.replication.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.chunk.Mutation;
import org.trefoilfs.replication.chunk.Version;
import org.trefoilfs.replication.membership.HostId;
import org.trefoilfs.replication.membership.OperationId;
import org.trefoilfs.replication.membership.VolumeInfo;
import org.trefoilfs.replication.placement.PgView;
import org.trefoilfs.replication.placement.Reopened;
import org.trefoilfs.replication.transport.Message;

/**
 * Clients that live through everything: they know the cluster by what some host knows of it, and
 * try a write or a flush again, under the same operation id, until it succeeds.
 */
final class Clients {
  static final int CLIENTS = 2;

  private static final long PAUSE = 20 * Network.MILLI;

  final List<Register> registers = new ArrayList<>();
  private final World world;
  private final Network network;
  private final Runnable onFlush;
  private long operations;
  int acknowledged;
  int flushed;
  int answered;

  /**
   * @param onFlush what happens when a flush has succeeded: the worst, at times
   */
  Clients(World world, Runnable onFlush) {
    this.world = world;
    this.network = world.network;
    this.onFlush = onFlush;
    for (int number = 0; number < World.CHUNKS; number++) {
      var chunk = World.chunk(number);
      for (int block = 0; block < SimStore.BLOCKS; block++) {
        registers.add(new Register(chunk, world.groupOf(chunk), block, block == 0));
      }
    }
  }

  void operate() {
    Register register = registers.get(network.random.nextInt(registers.size()));
    int client = Network.FIRST_CLIENT + network.random.nextInt(CLIENTS);
    switch (network.random.nextInt(9)) {
      case 0, 1, 2 -> {
        if (register.mayWrite()) {
          write(client, register, () -> {});
        }
      }
      case 3 -> {
        if (register.mayWrite()) {
          write(client, register, () -> flush(client, register.pg));
        }
      }
      default -> read(client, register);
    }
  }

  /** Who waits for an answer to a client, which never dies. */
  private abstract static class Waiting implements World.Caller {
    @Override
    public void deliver(Runnable step) {
      step.run();
    }
  }

  /** The group as some running host knows it; null while none does, or it is closed. */
  private PgView known(int pg) {
    List<SimHost> up = world.running();
    PgView view =
        up.isEmpty()
            ? null
            : up.get(network.random.nextInt(up.size())).known().placement().group(pg).orElse(null);
    return view == null || !view.isOpen() ? null : view;
  }

  // ---- write

  /**
   * @param then what the client does once the write is acknowledged
   */
  void write(int client, Register register, Runnable then) {
    register.writing++;
    long value = ++register.begun;
    world.trace.add(() -> "begin write " + register + " = " + value);
    if (register.history != null) {
      register.history.begins(value, network.now());
    }
    attempt(client, register, value, new OperationId(1, ++operations), then);
  }

  private void attempt(
      int client, Register register, long value, OperationId operation, Runnable then) {
    Runnable again =
        () -> network.after(PAUSE, () -> attempt(client, register, value, operation, then));
    PgView view = known(register.pg);
    if (view == null) {
      again.run();
      return;
    }
    Mutation mutation =
        new Mutation.Write(
            register.chunk, register.block * SimStore.BLOCK_BYTES, SimStore.data(value));
    int minInSync = VolumeInfo.usualMinInSync(world.plan.replicas());
    int losses = register.losses;
    world.call(
        client,
        view.primary(),
        new Message.Write(view.pg(), view.view(), minInSync, 0, operation, mutation),
        new Waiting() {
          @Override
          public void answered(Message answer) {
            world.trace.add(() -> "acknowledged " + register + " = " + value + " as " + answer);
            note(register, value, (Message.Written) answer, view, losses);
            written(register, value, losses);
            then.run();
          }

          @Override
          public void failed(TrefoilException why) {
            again.run();
          }
        });
  }

  /** What a client has to remember of a write until it is flushed: as ReplicatedVolume does. */
  private static void note(
      Register register, long value, Message.Written written, PgView view, int losses) {
    Version version =
        written.view() > 0
            ? new Version(written.view(), written.n())
            : new Version(view.view(), Long.MAX_VALUE);
    if (register.history == null) {
      register.acknowledged = new Register.Acknowledged(value, version, losses);
    }
  }

  private void written(Register register, long value, int losses) {
    register.writing--;
    acknowledged++;
    if (register.losses != losses) {
      return; // acknowledged, and perhaps lost since
    }
    register.settled = Math.max(register.settled, value);
    if (register.history != null) {
      register.history.written(value, network.now());
    }
  }

  // ---- read

  void read(int client, Register register) {
    PgView view = known(register.pg);
    if (view == null) {
      return;
    }
    HostId from = view.inSync().get(network.random.nextInt(view.inSync().size())).host();
    long begun = network.now();
    int losses = register.losses;
    long atLeast = register.settled;
    long flushedBefore = register.flushed;
    world.call(
        client,
        from,
        new Message.Read(
            view.pg(),
            view.view(),
            register.chunk,
            register.block * SimStore.BLOCK_BYTES,
            SimStore.BLOCK_BYTES),
        new Waiting() {
          @Override
          public void answered(Message answer) {
            answered++;
            long value = SimStore.value(((Message.Data) answer).bytes());
            boolean same = register.losses == losses;
            Clients.this.read(register, value, from, same ? atLeast : flushedBefore);
            if (same) {
              register.settled = Math.max(register.settled, value);
              if (register.history != null) {
                register.history.read(value, begun, network.now());
              }
            }
          }

          @Override
          public void failed(TrefoilException why) {}
        });
  }

  private void read(Register register, long value, HostId from, long atLeast) {
    world.trace.add(() -> "read " + register + " = " + value + " at " + from);
    Violation.unless(
        value <= register.begun && (register.history != null || value >= atLeast),
        "read of %s at %s returned %d, where %d was acknowledged or read before and %d begun",
        register,
        from,
        value,
        atLeast,
        register.begun);
  }

  // ---- flush

  /** Covers what was acknowledged to any client before. */
  void flush(int client, int pg) {
    Map<Register, Register.Acknowledged> covered = new LinkedHashMap<>();
    for (Register register : registers) {
      if (register.pg == pg && register.history == null) {
        covered.put(register, register.acknowledged);
      }
    }
    flush(
        client,
        pg,
        view -> {
          flushed++;
          world.trace.add(() -> "flushed group " + pg);
          covered.forEach((register, write) -> flushed(register, write, view.reopened()));
          onFlush.run();
        },
        10);
  }

  /** The flush has succeeded: what it does not tell to be gone must be there for ever. */
  private static void flushed(Register register, Register.Acknowledged write, Reopened reopened) {
    if (!reopened.mayHaveLost(write.version())) {
      register.flushed = Math.max(register.flushed, write.value());
      return;
    }
    boolean guessed =
        write.version().n() == Long.MAX_VALUE || write.version().view() < reopened.before();
    Violation.unless(
        guessed || register.losses != write.losses(),
        "%s = %d, committed as %s, is told to be gone (%s), and nothing was lost",
        register,
        write.value(),
        write.version(),
        reopened);
  }

  private void flush(int client, int pg, Consumer<PgView> done, int attempts) {
    PgView view = known(pg);
    if (attempts == 0) {
      return;
    }
    Runnable again = () -> flush(client, pg, done, attempts - 1);
    if (view == null) {
      network.after(PAUSE, again);
      return;
    }
    world.call(
        client,
        view.primary(),
        new Message.Flush(new TreeMap<>(Map.of(pg, view.view()))),
        new Waiting() {
          @Override
          public void answered(Message answer) {
            done.accept(view);
          }

          @Override
          public void failed(TrefoilException why) {
            network.after(PAUSE, again);
          }
        });
  }
}
