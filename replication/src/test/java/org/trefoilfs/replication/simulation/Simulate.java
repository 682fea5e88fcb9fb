package org.trefoilfs.replication.simulation;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongFunction;

/** The command {@code tools/simulate}. */
public final class Simulate {
  static final String USAGE =
      """
      Plays the replication protocol on simulated hosts, disks, clocks and links, and checks it.

      tools/simulate [--seeds N] [--from S]   N runs (2000), from a random seed or from S
      tools/simulate --seed S [--trace]       one run again; with every step of it
      tools/simulate --mutant NAME|all        with a mistake planted: it must be noticed
                     [--seeds N] [--from S]   within N runs (10000)
      tools/simulate --mutants                names of the mutants

      Exit status: 0 when everything held, and every mutant was caught; 1 when not; 2 for a wrong
      argument.\
      """;

  /** Failing seeds after which a long run ends: enough to compare. */
  private static final int FAILURES = 10;

  private static final Duration PROGRESS = Duration.ofSeconds(10);

  private long seeds = -1;
  private long from = new Random().nextLong() >>> 16;
  private boolean single;
  private boolean trace;
  private String mutant = "";

  public static void main(String[] args) {
    int status;
    try {
      status = new Simulate().run(List.of(args));
    } catch (IllegalArgumentException e) {
      System.err.println("simulate: " + e.getMessage() + "\n" + USAGE);
      status = 2;
    }
    System.exit(status);
  }

  private int run(List<String> args) {
    for (int i = 0; i < args.size(); i++) {
      switch (args.get(i)) {
        case "--seeds" -> seeds = number(args, ++i);
        case "--from" -> from = number(args, ++i);
        case "--seed" -> {
          from = number(args, ++i);
          single = true;
        }
        case "--trace" -> trace = true;
        case "--mutant" -> mutant = value(args, ++i);
        case "--mutants" -> {
          Mutants.ALL.forEach(each -> System.out.println(each.name()));
          return 0;
        }
        case "--help", "-h" -> {
          System.out.println(USAGE);
          return 0;
        }
        default -> throw new IllegalArgumentException("unknown argument " + args.get(i));
      }
    }
    if (trace && !single) {
      throw new IllegalArgumentException("--trace needs --seed");
    }
    return mutant.isEmpty() ? simulate() : mutants();
  }

  private static String value(List<String> args, int at) {
    if (at >= args.size()) {
      throw new IllegalArgumentException(args.get(at - 1) + " needs a value");
    }
    return args.get(at);
  }

  private static long number(List<String> args, int at) {
    try {
      return Long.parseLong(value(args, at));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(args.get(at - 1) + " needs a number", e);
    }
  }

  // ---- the code as it is

  private int simulate() {
    if (trace) {
      Simulation.trace(from).forEach(System.out::println);
    }
    long count = single ? 1 : seeds < 0 ? 2000 : seeds;
    TreeMap<Long, String> failures = play("", count, new SeedRun(), FAILURES);
    failures.forEach((seed, failure) -> System.out.println(failure(seed, failure)));
    return failures.isEmpty() ? 0 : 1;
  }

  /** What failed, and the one command that shows how. */
  static String failure(long seed, String failure) {
    return "seed "
        + seed
        + ": "
        + failure
        + "\n  replay: tools/simulate --seed "
        + seed
        + " --trace";
  }

  private TreeMap<Long, String> play(
      String what, long count, LongFunction<String> run, int failuresWanted) {
    Seeds all = new Seeds(from, count, run, failuresWanted);
    long began = System.nanoTime();
    Thread progress =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    while (true) {
                      Thread.sleep(PROGRESS);
                      System.out.println(progress(what, all, began));
                    }
                  } catch (InterruptedException e) {
                    // The end of the run.
                  }
                });
    TreeMap<Long, String> failures = all.play();
    progress.interrupt();
    System.out.println(progress(what, all, began));
    return failures;
  }

  private String progress(String what, Seeds all, long began) {
    double seconds = (System.nanoTime() - began) / 1e9;
    TreeMap<Long, String> failures = all.failures();
    return String.format(
        Locale.ROOT,
        "%s%d runs from seed %d in %.0f s, %.0f runs/s, %d failed%s",
        what,
        all.done(),
        from,
        seconds,
        all.done() / seconds,
        failures.size(),
        failures.isEmpty() ? "" : ": " + failures.keySet());
  }

  // ---- mutants

  private int mutants() {
    List<Mutant> chosen =
        Mutants.ALL.stream()
            .filter(each -> mutant.equals("all") || mutant.equals(each.name()))
            .toList();
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException("there is no mutant " + mutant + "; see --mutants");
    }
    long survivors = chosen.stream().filter(each -> !isCaught(each)).count();
    System.out.println(chosen.size() - survivors + " of " + chosen.size() + " mutants were caught");
    return survivors == 0 ? 0 : 1;
  }

  private boolean isCaught(Mutant each) {
    LongFunction<String> run = MutantLoader.simulationOf(each);
    long count = single ? 1 : seeds < 0 ? Mutants.SEEDS : seeds;
    Map<Long, String> failures = play(each.name() + ": ", count, run, 1);
    failures.forEach(
        (seed, failure) -> System.out.println("  caught by seed " + seed + ": " + failure));
    if (failures.isEmpty()) {
      System.out.println("  NOT CAUGHT");
    }
    return !failures.isEmpty();
  }
}
