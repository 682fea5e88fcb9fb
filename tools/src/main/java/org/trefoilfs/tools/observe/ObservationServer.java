package org.trefoilfs.tools.observe;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.trefoilfs.replication.membership.Address;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.http.HttpHandler;
import org.trefoilfs.tools.http.TcpHttpServer;

/**
 * Answers those who watch a host. It is there from the daemon's first moment on, so that a host
 * that waits for others to start says so.
 *
 * <pre>
 *  /              a page for people, which looks again every other second
 *  /status.json   what that page shows: an {@link Observation}
 *  /metrics       for Prometheus, in its text format
 *  /healthz       200 while the daemon runs
 *  /readyz        200 while it serves, else 503 and why not
 * </pre>
 */
public final class ObservationServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ObservationServer.class);

  /** However many ask, the host is looked at so often at most. */
  private static final Duration FRESH = Duration.ofMillis(500);

  private static final String TEXT = "text/plain; charset=utf-8";
  private static final HttpHandler.Response STARTING = text(503, "the host is starting\n");

  private final byte[] page = resource("status.html");
  private final TcpHttpServer server;
  private volatile @Nullable Observed observed;
  private @Nullable Observation latest;
  private long latestNanos;

  /** The host that is looked at; called on any thread. */
  public interface Observed {
    Observation look();

    /** Why it does not serve, in sentences; empty when it does. */
    List<String> notReady();
  }

  private ObservationServer(Address address) {
    server = TcpHttpServer.start(address, this::answer);
  }

  /** Fails as {@link TcpHttpServer#start}. */
  public static ObservationServer start(Address address) {
    ObservationServer server = new ObservationServer(address);
    LOG.info(
        "status page and metrics at http://{}", new Address(address.host(), server.server.port()));
    return server;
  }

  /** The host runs. */
  public void serve(Observed host) {
    observed = host;
  }

  private HttpHandler.Response answer(HttpHandler.Request request) {
    if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
      return text(405, "only GET and HEAD are answered here\n");
    }
    return switch (request.path()) {
      case "/" -> new HttpHandler.Response(200, "text/html; charset=utf-8", page);
      case "/status.json" ->
          withHost(host -> new HttpHandler.Response(200, "application/json", json(host)));
      case "/metrics" ->
          withHost(
              host ->
                  new HttpHandler.Response(200, MetricSet.CONTENT_TYPE, Metrics.text(look(host))));
      case "/healthz" -> text(200, "ok\n");
      case "/readyz" -> withHost(ObservationServer::ready);
      default ->
          text(
              404, "there are /, /status.json, /metrics, /healthz and /readyz, and nothing else\n");
    };
  }

  /** What a running host is answered with. */
  @FunctionalInterface
  private interface Answer {
    HttpHandler.Response of(Observed host);
  }

  private HttpHandler.Response withHost(Answer answer) {
    Observed host = observed;
    return host == null ? STARTING : answer.of(host);
  }

  private byte[] json(Observed host) {
    return Json.bytes(look(host));
  }

  private static HttpHandler.Response ready(Observed host) {
    List<String> reasons = host.notReady();
    return reasons.isEmpty() ? text(200, "ok\n") : text(503, String.join("\n", reasons) + "\n");
  }

  private synchronized Observation look(Observed host) {
    Observation known = latest;
    if (known == null || System.nanoTime() - latestNanos > FRESH.toNanos()) {
      known = host.look();
      latest = known;
      latestNanos = System.nanoTime();
    }
    return known;
  }

  private static HttpHandler.Response text(int status, String text) {
    return new HttpHandler.Response(status, TEXT, text.getBytes(UTF_8));
  }

  private static byte[] resource(String name) {
    try (InputStream in = ObservationServer.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not in this build");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where it listens. */
  public int port() {
    return server.port();
  }

  @Override
  public void close() {
    observed = null;
    server.close();
  }
}
