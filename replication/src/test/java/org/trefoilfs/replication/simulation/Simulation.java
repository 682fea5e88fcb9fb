package org.trefoilfs.replication.simulation;

import java.util.List;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.membership.ClusterCommand;

/**
 * One run of the protocol, decided by its seed: hosts, clients and faults on simulated time, then a
 * calm in which everything must heal.
 */
public final class Simulation {
  /** Lines of the trace that a failure shows. */
  private static final int LINES = Integer.getInteger("trefoil.lines", 400);

  /** After the last fault every group is whole again by then, and every call ended. */
  private static final long HEALED_WITHIN = 60 * Network.SECOND;

  /** Once all is whole again. */
  private static final long SERVED_WITHIN = 5 * Network.SECOND;

  private static final long SAMPLE = 20 * Network.MILLI;

  static {
    // Thousands of recoveries a second are not worth a line each.
    ((ch.qos.logback.classic.Logger)
            LoggerFactory.getLogger("org.trefoilfs.replication.host.Recovery"))
        .setLevel(ch.qos.logback.classic.Level.WARN);
  }

  private final World world;
  private final Network network;
  private final Faults faults;
  private final Clients clients;

  /** What a run did that held. */
  record Result(int writes, int reads, int flushes) {}

  private Simulation(long seed, boolean traced) {
    world = new World(seed, traced);
    network = world.network;
    faults = new Faults(world);
    clients = new Clients(world, faults::flushed);
    world.checks.watch(clients.registers);
  }

  /** Plays one run. Throws an AssertionError when something did not hold. */
  static Result play(long seed) {
    return new Simulation(seed, false).play();
  }

  /** Plays one run, and tells how it went: its last steps, and what did not hold. */
  static List<String> trace(long seed) {
    Simulation simulation = new Simulation(seed, true);
    try {
      simulation.play();
      simulation.world.trace.add(() -> "everything held");
    } catch (AssertionError | RuntimeException e) {
      simulation.world.trace.add(() -> e.toString());
      for (StackTraceElement frame : e.getStackTrace()) {
        simulation.world.trace.add(() -> "    at " + frame);
      }
    }
    List<String> lines = simulation.world.trace.lines();
    return lines.subList(Math.max(0, lines.size() - LINES), lines.size());
  }

  /** Plays one run: all that its state log was told. Throws as {@link #play}. */
  public static List<ClusterCommand> history(long seed) {
    Simulation simulation = new Simulation(seed, false);
    simulation.play();
    return List.copyOf(simulation.world.log.history);
  }

  private Result play() {
    network.after(SAMPLE, this::sample);
    for (int step = 0; step < world.plan.steps(); step++) {
      run(network.random.nextLong(800 * Network.MILLI));
      // A burst of calls with the fault in the midst of them, or calls at leisure after it.
      long within = network.random.nextBoolean() ? 4 * Network.MILLI : 200 * Network.MILLI;
      for (int i = 0; i < 8; i++) {
        network.after(network.random.nextLong(within), clients::operate);
      }
      run(network.random.nextLong(4 * Network.MILLI));
      faults.next();
    }
    calmDown();
    world.checks.converged();
    return new Result(clients.acknowledged, clients.answered, clients.flushed);
  }

  private void run(long nanos) {
    network.runUntil(network.now() + nanos);
  }

  private void sample() {
    world.checks.sample();
    network.after(SAMPLE, this::sample);
  }

  private void calmDown() {
    faults.end();
    awaitWithin(HEALED_WITHIN, () -> faults.isHealed() && nobodyWrites());
    // A damaged block that nobody could give is written anew: whole blocks need no old content.
    clients.registers.forEach(register -> clients.write(Network.FIRST_CLIENT, register, () -> {}));
    awaitWithin(SERVED_WITHIN, this::nobodyWrites);
    run(3 * Network.SECOND);
    int answers = clients.answered + clients.registers.size();
    clients.registers.forEach(register -> clients.read(Network.FIRST_CLIENT, register));
    run(Network.SECOND);
    Violation.unless(clients.answered == answers, "a read is not answered in the calm");
  }

  private boolean nobodyWrites() {
    return clients.registers.stream().allMatch(register -> register.writing == 0);
  }

  private void awaitWithin(long nanos, java.util.function.BooleanSupplier condition) {
    long deadline = network.now() + nanos;
    while (!condition.getAsBoolean()) {
      Violation.unless(
          network.now() < deadline,
          "not well again %d s after the last fault: writes under way to %s; %s",
          nanos / Network.SECOND,
          clients.registers.stream().filter(register -> register.writing > 0).toList(),
          world.view().placement().groups());
      run(Network.SECOND / 10);
    }
  }
}
