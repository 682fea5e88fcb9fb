package org.trefoilfs.tools.acceptance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.commit.CommitMode;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.daemon.Logging;
import org.trefoilfs.tools.demo.Ports;
import org.trefoilfs.tools.support.Browser;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Machines;
import org.trefoilfs.tools.support.Prometheus;
import org.trefoilfs.tools.support.Web;
import tools.jackson.databind.JsonNode;

/** Three real hosts, watched over HTTP while one is killed and comes back. */
final class ObservationTest {
  private static final int HOSTS = 3;
  private static final int BYTES = 5 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Less than Prometheus waits (10 s), also while nobody can say what a volume holds. */
  private static final Duration SCRAPE = Duration.ofSeconds(5);

  @TempDir Path directory;

  private final List<Integer> ports =
      Ports.free(HOSTS, ThreadLocalRandom.current().nextInt(10_000, 19_000));
  private final List<Web> webs = new ArrayList<>();
  private ClusterProcesses cluster;

  @BeforeEach
  void start() {
    cluster = ClusterProcesses.start(directory, HOSTS, new Watched(Machines.here(HOSTS)));
    ports.forEach(port -> webs.add(new Web(port)));
  }

  @AfterEach
  void stop() {
    webs.forEach(Web::close);
    cluster.close();
  }

  /** Each host with an address of its own for those who watch it. */
  private final class Watched implements Machines {
    private final Machines machines;

    Watched(Machines machines) {
      this.machines = machines;
    }

    @Override
    public String listen(int host) {
      return machines.listen(host);
    }

    @Override
    public HostConfig settings(int host) {
      return HostConfig.empty()
          .with(Key.HTTP, "127.0.0.1:" + ports.get(host - 1))
          .with(Key.LOG_FORMAT, "json");
    }
  }

  private Web web(int host) {
    return webs.get(host - 1);
  }

  private String metrics(int host) {
    long began = System.nanoTime();
    var answer = web(host).get("/metrics");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(SCRAPE);
    return answer.body();
  }

  @Test
  void whatHappensIsSeen() throws IOException {
    cluster.createVolume("work", HOSTS, CommitMode.SYNC);
    Path mount = cluster.mount(1, "work");
    assertThat(web(1).get("/readyz").statusCode()).isEqualTo(200);
    byte[] content = new byte[BYTES];
    new Random(BYTES).nextBytes(content);
    Files.write(mount.resolve("file"), content);
    assertThat(Files.readAllBytes(mount.resolve("file"))).isEqualTo(content);
    String before = metrics(1);
    assertThat(Prometheus.complaints(before, directory)).isEmpty();
    assertThat(Prometheus.value(before, "trefoil_written_bytes_total")).hasValue(BYTES);
    assertThat(Prometheus.value(before, "trefoil_read_bytes_total")).hasValue(BYTES);
    assertThat(Prometheus.value(before, "trefoil_host_up")).hasValue(HOSTS);
    assertThat(Prometheus.value(metrics(3), "trefoil_mounted", "host=\"host1\""))
        .as("as another host has it")
        .hasValue(1);

    String page = new Browser(directory.resolve("browser")).dom(web(1).url("/"));
    assertThat(page).contains("data-shown=\"true\"", "in sync</div>");
    for (int host = 1; host <= HOSTS; host++) {
      assertThat(page).contains("data-host=\"host" + host + "\"");
    }
    assertThat(page).contains(mount.toString());

    cluster.kill(2);
    awaitMetric("trefoil_host_up", 0, "host=\"host2\"");
    awaitMetric("trefoil_placement_groups", 0, "state=\"in_sync\"");
    assertThat(new Browser(directory.resolve("browser")).dom(web(1).url("/")))
        .contains("serving, with fewer replicas");
    assertThat(web(1).get("/readyz").statusCode()).as("the others serve on").isEqualTo(200);
    Files.write(mount.resolve("meanwhile"), content);
    cluster.restart(2);
    awaitMetric("trefoil_in_sync", 1);
    assertThat(Files.readAllLines(cluster.data(1).resolve(Logging.FILE)))
        .isNotEmpty()
        .allSatisfy(
            line -> {
              JsonNode entry = Json.read(line.getBytes(UTF_8), JsonNode.class);
              assertThat(entry.path("level").asString()).isNotEmpty();
              assertThat(entry.path("formattedMessage").asString()).isNotEmpty();
            });
  }

  @Test
  void hostWithoutAMajorityIsNotReadyAndAnswers() {
    cluster.createVolume("work", HOSTS, CommitMode.SYNC);
    cluster.kill(2);
    cluster.kill(3);
    Awaitility.await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              var answer = web(1).get("/readyz");
              assertThat(answer.statusCode()).isEqualTo(503);
              assertThat(answer.body()).contains("majority");
            });
    String metrics = metrics(1);
    assertThat(Prometheus.complaints(metrics, directory)).isEmpty();
    assertThat(Prometheus.value(metrics, "trefoil_host_leads")).hasValue(0);
    assertThat(Prometheus.value(metrics, "trefoil_host_up", "host=\"host1\"")).hasValue(1);
    assertThat(Prometheus.value(metrics, "trefoil_host_up")).hasValue(1);
    assertThat(web(1).get("/healthz").statusCode()).isEqualTo(200);
    long began = System.nanoTime();
    assertThat(cluster.status(1).volumes())
        .singleElement()
        .satisfies(volume -> assertThat(volume.files()).as("unknown").isEqualTo(-1));
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(SCRAPE);
  }

  private void awaitMetric(String name, double value, String... labels) {
    Awaitility.await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(Prometheus.value(metrics(1), name, labels)).hasValue(value));
  }
}
