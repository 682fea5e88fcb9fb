package org.trefoilfs.tools.acceptance;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Commands;
import org.trefoilfs.tools.support.NetworkNamespaces;
import org.trefoilfs.tools.support.StaleReads;

/** One fault, under everything that runs on two mounts. See {@link Chaos}. */
final class ChaosRound {
  /**
   * Each program works for so long; the fault falls into it, and its end as well. All of them think
   * between two calls: what is measured is how long faults hold calls up, and not how long they
   * wait for a processor that others keep busy.
   */
  private static final int WORK_SECONDS = 7;

  private static final String FIO =
      """
      fio --name=chaos --directory="$1" --rw=randwrite --bs=4k --size=8m --verify=crc32c \
        --do_verify=1 --fsync=16 --runtime="$2" --time_based --loops=1000 --verify_fatal=1 \
        --thinktime=10ms --output=/dev/stderr
      """;

  private static final String SQLITE =
      """
      cd "$1"
      sqlite3 db 'create table t (n integer primary key, v text)'
      end=$((SECONDS + $2)); n=0
      while ((SECONDS < end)); do
        n=$((n + 1))
        sqlite3 db "insert into t values ($n, hex(randomblob(200)))"
        sleep 0.05
      done
      test "$(sqlite3 db 'pragma integrity_check')" = ok
      test "$(sqlite3 db 'select count(*) from t')" = $n
      """;

  private static final String GIT =
      """
      export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
      export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
      cd "$1"
      git init -q -b main repository
      cd repository
      end=$((SECONDS + $2)); n=0
      while ((SECONDS < end)); do
        n=$((n + 1))
        seq $n $((n * 20)) >"file$((n % 9))"
        git add -A
        git commit -q -m "change $n"
        sleep 0.2
      done
      git fsck --full --strict
      test "$(git rev-list --count HEAD)" = $n
      """;

  private final Stage stage;
  private final int number;
  private final Fault fault;
  private final int victim;
  private final Duration howLong;

  /** What the rounds are played on. */
  record Stage(
      ClusterProcesses cluster, NetworkNamespaces network, Path directory, List<Path> mounts) {}

  /** What may happen to a host. */
  enum Fault {
    KILLED,
    SUSPENDED,
    CUT_OFF,
    STOPPED
  }

  /**
   * @param victim the host, and whether it led
   * @param stalls how long calls took at worst
   * @param acknowledged writes that were checked
   */
  record Result(Fault fault, String victim, StallProbe.Result stalls, int acknowledged) {
    @Override
    public String toString() {
      return "%s %s; worst stall %d ms (%s); %d acknowledged writes hold"
          .formatted(
              victim,
              fault.name().toLowerCase(Locale.ROOT),
              stalls.stall(),
              stalls.slowest(),
              acknowledged);
    }
  }

  ChaosRound(Stage stage, int number, List<Fault> faults, Random random) {
    this.stage = stage;
    this.number = number;
    fault = faults.get(random.nextInt(faults.size()));
    victim = 1 + random.nextInt(Chaos.HOSTS);
    howLong = Chaos.LONGER_THAN_DETECTION.plusMillis(random.nextInt(3000));
  }

  Result play() throws Exception {
    Path first = Files.createDirectory(stage.mounts().get(0).resolve("round-" + number));
    Path second = stage.mounts().get(1).resolve("round-" + number);
    for (String each : List.of("fio", "sqlite", "git", "numbers")) {
      Files.createDirectory(first.resolve(each));
    }
    String struck = "host" + victim + (leads() ? " (leader)" : "");
    String acknowledged;
    StallProbe.Result stalls;
    try (Companion writer = AcknowledgedWriter.start(second.resolve("acknowledged"), number);
        Companion probe = StallProbe.start(first.resolve("probe"));
        StaleReads reads = StaleReads.start(first.resolve("numbers"), second.resolve("numbers"))) {
      List<CompletableFuture<?>> programs = new ArrayList<>();
      programs.add(program(FIO, first.resolve("fio")));
      programs.add(program(SQLITE, second.resolve("sqlite")));
      programs.add(program(GIT, first.resolve("git")));
      reads.awaitGenerations(20);
      strike();
      awaitOf(howLong);
      recover();
      for (CompletableFuture<?> program : programs) {
        join(program);
      }
      stage.cluster().awaitInSync();
      acknowledged = writer.stop();
      stalls = StallProbe.Result.of(probe.stop());
      reads.end();
    }
    int checked = AcknowledgedWriter.check(first.resolve("acknowledged"), acknowledged);
    Checks.assertStoresEqual(stage.cluster(), stage.directory(), Chaos.HOSTS);
    Trees.remove(first);
    return new Result(fault, struck, stalls, checked);
  }

  private boolean leads() {
    return stage.cluster().status(victim).hosts().stream()
        .anyMatch(line -> line.name().equals("host" + victim) && line.role().equals("leader"));
  }

  private static CompletableFuture<?> program(String script, Path where) {
    return CompletableFuture.runAsync(
        () ->
            Run.script(Path.of("/"), script, where.toString(), Integer.toString(WORK_SECONDS))
                .succeeded(),
        task -> Thread.ofVirtual().start(task));
  }

  private static void join(CompletableFuture<?> program) throws Exception {
    try {
      program.get(5, TimeUnit.MINUTES);
    } catch (ExecutionException | CompletionException e) {
      throw new AssertionError("a program saw an error", e.getCause());
    }
  }

  private void strike() {
    switch (fault) {
      case KILLED -> stage.cluster().kill(victim);
      case SUSPENDED -> signal("-STOP");
      case CUT_OFF -> stage.network().cutOff(victim);
      case STOPPED -> stage.cluster().stop(victim);
    }
  }

  private void recover() {
    switch (fault) {
      case KILLED, STOPPED -> stage.cluster().restart(victim);
      case SUSPENDED -> signal("-CONT");
      case CUT_OFF -> stage.network().plugIn(victim);
    }
  }

  private void signal(String which) {
    Commands.run("kill", which, Long.toString(stage.cluster().pid(victim)));
  }

  private static void awaitOf(Duration time) throws InterruptedException {
    Thread.sleep(time);
  }
}
