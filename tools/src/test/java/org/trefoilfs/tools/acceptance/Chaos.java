package org.trefoilfs.tools.acceptance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.support.ClientMountProcess;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.NetworkNamespaces;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Rounds of faults against real hosts in network namespaces of their own, under real programs on
 * two mounts that are processes apart. In each round one host is killed, suspended for longer than
 * its lease, cut off, or stopped in good order; then it comes back, and all agree again. Nothing
 * that was acknowledged may be lost or stale, no program may see an error, and no call may take
 * longer than the limit.
 */
@Command(
    name = "chaos",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Runs rounds of faults against real hosts, and checks what programs see.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0: every round held", "1: a round did not hold", "2: usage"})
public final class Chaos implements Callable<Integer> {
  static final int HOSTS = 3;

  @Option(names = "--rounds", defaultValue = "20", description = "Rounds; 20 unless given.")
  int rounds;

  @Option(names = "--seed", description = "Of the faults; random unless given.")
  long seed = ThreadLocalRandom.current().nextLong(1 << 30);

  @Option(
      names = "--faults",
      split = ",",
      defaultValue = "killed,suspended,cut_off,stopped",
      paramLabel = "FAULT",
      description = "Which are played, at random: ${COMPLETION-CANDIDATES}; all unless given.")
  List<ChaosRound.Fault> faults;

  @Option(
      names = "--commit",
      defaultValue = "sync",
      description = "Of the volume: sync or async; sync unless given.")
  CommitMode commit;

  @Option(
      names = "--stall-limit",
      defaultValue = "3",
      paramLabel = "SECONDS",
      description =
          "How long a call may take; 3 unless given. A round that takes longer is counted as not"
              + " held, and the next ones are played.")
  int stallLimit;

  @Option(
      names = "--dir",
      description = "Where the hosts store; a new temporary directory unless given.")
  Path directory;

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new Chaos()).setCaseInsensitiveEnumValuesAllowed(true).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    Path root = directory == null ? Files.createTempDirectory("chaos") : directory;
    System.out.printf(
        "chaos: %d rounds, --commit %s, --seed %d, in %s%n", rounds, commit, seed, root);
    List<Long> stalls = new ArrayList<>();
    try (NetworkNamespaces network = NetworkNamespaces.create(HOSTS, HostConfig.empty());
        ClusterProcesses cluster = ClusterProcesses.start(root, HOSTS, network)) {
      cluster.createVolume("work", HOSTS, commit);
      try (ClientMountProcess first = mount(cluster, root, "a");
          ClientMountProcess second = mount(cluster, root, "b")) {
        ChaosRound.Stage stage =
            new ChaosRound.Stage(cluster, network, root, List.of(first.point(), second.point()));
        Random random = new Random(seed);
        for (int round = 1; round <= rounds; round++) {
          ChaosRound.Result result = new ChaosRound(stage, round, faults, random).play();
          System.out.printf("round %d: %s%n", round, result);
          stalls.add(result.stalls().stall());
        }
      }
    } catch (Throwable e) {
      System.out.printf("FAILED; replay the faults with --seed %d; left: %s%n", seed, root);
      e.printStackTrace(System.out);
      return 1;
    }
    if (directory == null) {
      Trees.remove(root);
    }
    return judge(stalls);
  }

  private int judge(List<Long> stalls) {
    stalls.sort(null);
    long over = stalls.stream().filter(stall -> stall > stallLimit * 1000L).count();
    System.out.printf(
        "%d rounds: nothing lost, stale or in error; worst stall of a round in ms: median %d, 99 %%"
            + " %d, worst %d; longer than %d s in %d%n",
        rounds,
        stalls.get(stalls.size() / 2),
        stalls.get((stalls.size() - 1) * 99 / 100),
        stalls.getLast(),
        stallLimit,
        over);
    return over == 0 ? 0 : 1;
  }

  private static ClientMountProcess mount(ClusterProcesses cluster, Path root, String name)
      throws IOException {
    return ClientMountProcess.start(cluster, "work", root.resolve("mount-" + name));
  }

  /** Long enough for a suspended or cut host to be declared lost, and its groups taken over. */
  static final Duration LONGER_THAN_DETECTION = Duration.ofSeconds(3);
}
