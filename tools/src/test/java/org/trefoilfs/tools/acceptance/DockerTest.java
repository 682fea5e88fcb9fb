package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.ContainerMounts;
import org.trefoilfs.tools.support.NetworkNamespaces;
import org.trefoilfs.tools.support.ProcessRun;

/** Two real Docker engines, each in a network namespace with a host, and a third host. */
final class DockerTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir static Path directory;
  private static NetworkNamespaces network;
  private static ClusterProcesses cluster;
  private static DockerEngine first;
  private static DockerEngine second;

  @BeforeAll
  static void start() throws IOException {
    network = NetworkNamespaces.create(3, HostConfig.empty());
    cluster = ClusterProcesses.start(directory, 3, ContainerMounts.on(network, directory));
    first = engine(1);
    second = engine(2);
  }

  private static DockerEngine engine(int host) {
    Path plugins = ContainerMounts.socket(directory, host).getParent();
    return DockerEngine.start(directory.resolve("engine" + host), network.enter(host), plugins);
  }

  @AfterAll
  static void stop() {
    for (AutoCloseable part : new AutoCloseable[] {first, second, cluster, network}) {
      try {
        if (part != null) {
          part.close();
        }
      } catch (Exception e) {
        System.err.println("not cleaned up: " + e);
      }
    }
  }

  @Test
  void whatAContainerOfOneEngineWritesOneOfTheOtherReads() {
    assertThat(
            first.succeeds(
                "volume",
                "create",
                "-d",
                "trefoil",
                "-o",
                "replicas=3",
                "-o",
                "commit=sync",
                "shared"))
        .isEqualTo("shared");
    run(first, "shared", "echo from the first > /data/file");
    assertThat(second.succeeds("volume", "ls", "--format", "{{.Driver}} {{.Name}} {{.Scope}}"))
        .contains("trefoil shared global");
    assertThat(run(second, "shared", "cat /data/file; echo and the second >> /data/file"))
        .isEqualTo("from the first");
    String used = first.shell("sleep 600", "--detach", "-v", "shared:/data").output();
    assertThat(first.succeeds("exec", used, "/bin/cat", "/data/file"))
        .isEqualTo("from the first\nand the second");
    assertThat(
            first.succeeds(
                "volume", "inspect", "shared", "--format", "{{.Status}} {{.Mountpoint}}"))
        .contains("commit:sync", "replicas:3", "containers-here:1")
        .endsWith(cluster.containerMounts(1).resolve("shared").toString());

    assertThat(first.run("volume", "rm", "shared").output()).contains("volume is in use");
    ProcessRun refused = second.run("volume", "rm", "shared");
    assertThat(refused.failed()).isTrue();
    assertThat(refused.output())
        .contains("volume shared: used at host1:" + cluster.containerMounts(1).resolve("shared"));

    first.succeeds("rm", "--force", used);
    assertThat(second.succeeds("volume", "rm", "shared")).isEqualTo("shared");
    assertThat(first.succeeds("volume", "ls", "--quiet")).doesNotContain("shared");
  }

  private static String run(DockerEngine engine, String volume, String script) {
    ProcessRun run = engine.shell(script, "--rm", "-v", volume + ":/data");
    assertThat(run.status()).as(run.output()).isZero();
    return run.output();
  }

  @Test
  void composeFileNamesTheVolumeOfAllMachines() throws IOException {
    Path here =
        Files.writeString(
            directory.resolve("here.yaml"),
            "services: {hello: {image: '%s', network_mode: none}}".formatted(DockerEngine.IMAGE));
    List<String> compose =
        List.of(
            "docker-compose",
            "--project-name=visits",
            "--file=" + Path.of("../packaging/src/main/docker/compose.yaml").toRealPath(),
            "--file=" + here);
    for (DockerEngine engine : List.of(first, second)) {
      ProcessRun up = engine.run(compose, "up", "--exit-code-from=hello");
      assertThat(up.status()).as(up.output()).isZero();
    }
    assertThat(run(first, "work", "wc -l < /data/visits")).isEqualTo("2");
    assertThat(first.run(compose, "down").status()).isZero();
    ProcessRun down = second.run(compose, "down", "--volumes");
    assertThat(down.status()).as(down.output()).isZero();
    assertThat(first.succeeds("volume", "ls", "--quiet")).doesNotContain("work");
  }

  @Test
  void wrongOptionIsSaidToTheUser() {
    ProcessRun wrong = first.run("volume", "create", "-d", "trefoil", "-o", "replicas=5", "wrong");
    assertThat(wrong.status()).isEqualTo(1);
    assertThat(wrong.output())
        .contains(
            "volume wrong: 5 replicas need as many storage hosts, and there are 3; start more, or give -o replicas=3");
    assertThat(first.run("volume", "create", "-d", "trefoil", "-o", "size=5g", "wrong").output())
        .contains("volume wrong: there is no option 'size'; there are replicas=1 to 7, ");
  }

  /** Where a daemon is back before its session runs out, in 10 s; else an append says EIO. */
  @Test
  @EnabledIfEnvironmentVariable(named = "TREFOIL_ACCEPTANCE", matches = "full")
  void containerNeverNoticesThatThePluginsDaemonIsKilled() throws Exception {
    first.succeeds("volume", "create", "-d", "trefoil", "written");
    String writer =
        """
        n=0
        while ! test -e /data/enough; do
          n=$((n + 1))
          echo $n >> /data/log || exit 1
        done
        """;
    String container = first.shell("set -e\n" + writer, "--detach", "-v", "written:/data").output();
    Path place = cluster.containerMounts(1).resolve("written");
    Path elsewhere = cluster.mount(3, "written");
    awaitMore(elsewhere.resolve("log"), 20);
    String device = MountTable.at(place).orElseThrow().device();
    for (int round = 0; round < 2; round++) {
      cluster.kill(1);
      cluster.restart(1);
      awaitMore(elsewhere.resolve("log"), 20);
    }
    assertThat(MountTable.at(place).orElseThrow().device()).as("the same").isEqualTo(device);
    Files.createFile(elsewhere.resolve("enough"));
    assertThat(first.succeeds("wait", container)).as("its exit status").isEqualTo("0");
    assertThat(first.succeeds("logs", container)).isEmpty();
    List<String> written = Files.readAllLines(elsewhere.resolve("log"));
    assertThat(written)
        .isEqualTo(
            IntStream.rangeClosed(1, written.size())
                .mapToObj(Integer::toString)
                .collect(Collectors.toList()));
    assertThat(MountTable.at(place)).as("its container has ended").isEmpty();
    first.succeeds("rm", container);
    assertThat(place).doesNotExist();
    cluster.unmount(3);
    first.succeeds("volume", "rm", "written");
  }

  private static void awaitMore(Path log, int lines) throws IOException {
    int before = Files.exists(log) ? Files.readAllLines(log).size() : 0;
    Awaitility.await()
        .atMost(SOON)
        .until(() -> Files.exists(log) && Files.readAllLines(log).size() >= before + lines);
  }

  @Test
  void pluginThatStartsLateLeadsToAnErrorAndNotToAnEmptyLocalVolume() {
    first.succeeds("volume", "create", "-d", "trefoil", "late");
    run(first, "late", "echo here > /data/file");
    String driverNamed = "--mount=type=volume,src=late,dst=/data,volume-driver=trefoil";
    cluster.stop(3);
    try (DockerEngine early = engine(3)) {
      ProcessRun none = early.shell("cat /data/file", "--rm", driverNamed);
      assertThat(none.failed()).isTrue();
      assertThat(none.output()).contains("plugin \"trefoil\" not found");
      assertThat(early.localVolumes().resolve("late")).doesNotExist();
      assertThat(cluster.containerMounts(3).resolve("late")).doesNotExist();
      cluster.restart(3);
      assertThat(early.shell("cat /data/file", "--rm", driverNamed).output()).isEqualTo("here");
    }
    first.succeeds("volume", "rm", "late");
  }
}
