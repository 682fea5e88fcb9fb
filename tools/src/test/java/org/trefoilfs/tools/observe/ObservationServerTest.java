package org.trefoilfs.tools.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.support.Web;

final class ObservationServerTest {
  private final ObservationServer server = ObservationServer.start(new Address("127.0.0.1", 0));
  private final Web web = new Web(server.port());
  private final AtomicInteger looks = new AtomicInteger();
  private volatile List<String> notReady = List.of();

  private void serve() {
    server.serve(
        new ObservationServer.Observed() {
          @Override
          public Observation look() {
            looks.incrementAndGet();
            return MetricsTest.observation("work");
          }

          @Override
          public List<String> notReady() {
            return notReady;
          }
        });
  }

  @AfterEach
  void close() {
    web.close();
    server.close();
  }

  @Test
  void hostThatStartsIsHealthyAndNotReady() {
    assertThat(web.get("/healthz").statusCode()).isEqualTo(200);
    for (String path : List.of("/readyz", "/metrics", "/status.json")) {
      assertThat(web.get(path).statusCode()).as(path).isEqualTo(503);
      assertThat(web.get(path).body()).isEqualTo("the host is starting\n");
    }
    assertThat(web.get("/").statusCode()).as("the page, which says so itself").isEqualTo(200);
  }

  @Test
  void hostThatDoesNotServeSaysWhy() {
    serve();
    assertThat(web.get("/readyz").statusCode()).isEqualTo(200);
    notReady = List.of("no host leads", "/mnt is not mounted yet");
    assertThat(web.get("/readyz").statusCode()).isEqualTo(503);
    assertThat(web.get("/readyz").body()).isEqualTo("no host leads\n/mnt is not mounted yet\n");
    assertThat(web.get("/healthz").statusCode()).isEqualTo(200);
  }

  @Test
  void statusIsTheObservation() {
    serve();
    var answer = web.get("/status.json");
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/json");
    Observation seen = Json.read(answer.body().getBytes(), Observation.class);
    assertThat(seen.placement()).isEqualTo(MetricsTest.observation("work").placement());
  }

  @Test
  void whoeverAsksOftenIsAnsweredFromMemory() {
    serve();
    List<CompletableFuture<Integer>> asked = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      asked.add(CompletableFuture.supplyAsync(() -> web.get("/metrics").statusCode()));
    }
    assertThat(asked).allSatisfy(answer -> assertThat(answer.join()).isEqualTo(200));
    assertThat(looks.get()).isBetween(1, 39);
  }

  @Test
  void nothingElseIsAnswered() {
    serve();
    assertThat(web.get("/../etc/passwd").statusCode()).isEqualTo(404);
    assertThat(web.ask("POST", "/status.json").statusCode()).isEqualTo(405);
    assertThat(web.ask("HEAD", "/metrics").body()).isEmpty();
  }

  @Test
  void portThatIsTakenIsNamed() {
    Address taken = new Address("127.0.0.1", server.port());
    assertThatThrownBy(() -> ObservationServer.start(taken))
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.BUSY))
        .hasMessageContaining(taken.toString())
        .hasMessageContaining("ss -ltnp");
  }

  @Test
  void addressOfAnotherMachineIsRefused() {
    Address elsewhere = new Address("192.0.2.7", 0);
    assertThatThrownBy(() -> ObservationServer.start(elsewhere))
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
        .hasMessageContaining("192.0.2.7");
  }
}
