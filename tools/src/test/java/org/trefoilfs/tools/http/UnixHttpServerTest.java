package org.trefoilfs.tools.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.http.HttpHandler.Response;
import org.trefoilfs.tools.support.Commands;
import org.trefoilfs.tools.support.ProcessRun;

final class UnixHttpServerTest {
  private static final HttpHandler ECHO =
      request ->
          new Response(
              200,
              "text/plain",
              (request.method() + " " + request.path() + " " + new String(request.body()))
                  .getBytes());

  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path directory;

  private static String curl(Path socket, String... more) {
    List<String> command =
        new java.util.ArrayList<>(
            List.of("curl", "-sS", "--max-time", "20", "--unix-socket", socket.toString()));
    command.addAll(List.of(more));
    return Commands.run(command.toArray(String[]::new));
  }

  @Test
  void requestsOfAConnectionAreAnsweredInTheirOrder() {
    Path socket = directory.resolve("run/plugin.sock");
    try (UnixHttpServer server = UnixHttpServer.start(socket, ECHO)) {
      assertThat(server).isNotNull();
      String answers = curl(socket, "-d", "body", "http://x/a?query", "http://x/b");
      assertThat(answers).isEqualTo("POST /a bodyPOST /b body");
    }
    assertThat(directory.resolve("run")).isEmptyDirectory();
  }

  /** As the Docker engine sends them when it is busy. */
  @Test
  void requestThatArrivesInPiecesIsAnswered() throws Exception {
    Path socket = directory.resolve("plugin.sock");
    String chunked =
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n|4\r\nbo|dy\r\n|0\r\n\r\n";
    try (UnixHttpServer server = UnixHttpServer.start(socket, ECHO);
        SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      assertThat(server).isNotNull();
      BufferedReader answers =
          new BufferedReader(
              new InputStreamReader(Channels.newInputStream(client), StandardCharsets.UTF_8));
      for (int request = 0; request < 3; request++) {
        for (String piece : chunked.split("\\|")) {
          client.write(ByteBuffer.wrap(piece.getBytes(StandardCharsets.UTF_8)));
          // The server has one thread: it has read the piece when it has answered another client.
          assertThat(curl(socket, "http://x/b")).isEqualTo("GET /b");
        }
        assertThat(assertTimeoutPreemptively(SOON, () -> body(answers))).isEqualTo("POST /a body");
      }
    }
  }

  private static String body(BufferedReader answer) throws IOException {
    int length = 0;
    String line = answer.readLine();
    for (; !line.isEmpty(); line = answer.readLine()) {
      if (line.startsWith("content-length: ")) {
        length = Integer.parseInt(line.substring("content-length: ".length()));
      }
    }
    char[] body = new char[length];
    int read = 0;
    while (read < length) {
      read += answer.read(body, read, length - read);
    }
    return new String(body);
  }

  @Test
  void rootAloneMayConnect() throws Exception {
    Path socket = directory.resolve("plugin.sock");
    try (UnixHttpServer server = UnixHttpServer.start(socket, ECHO)) {
      assertThat(server).isNotNull();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
          .isEqualTo("rw-------");
      try (var entries = Files.list(directory)) {
        assertThat(entries).containsExactly(socket);
      }
    }
  }

  @Test
  void socketOfADeadProcessIsReplacedAndThatOfALivingOneIsNot() throws Exception {
    Path socket = directory.resolve("plugin.sock");
    try (UnixHttpServer server = UnixHttpServer.start(socket, ECHO)) {
      assertThat(server).isNotNull();
      assertThatThrownBy(() -> UnixHttpServer.start(socket, ECHO))
          .hasMessageContaining("another process serves there; stop it, or choose another socket");
      assertThat(curl(socket, "http://x/a")).isEqualTo("GET /a");
    }
    var dead = java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX);
    dead.bind(java.net.UnixDomainSocketAddress.of(socket));
    dead.close();
    assertThat(socket).exists();
    try (UnixHttpServer server = UnixHttpServer.start(socket, ECHO)) {
      assertThat(server).isNotNull();
      assertThat(curl(socket, "http://x/a")).isEqualTo("GET /a");
    }
  }

  @Test
  void requestThatBlocksHoldsUpNoOther() throws Exception {
    Path socket = directory.resolve("plugin.sock");
    CountDownLatch blocks = new CountDownLatch(1);
    CountDownLatch blocked = new CountDownLatch(1);
    HttpHandler handler =
        request -> {
          if (request.path().equals("/slow")) {
            blocked.countDown();
            try {
              blocks.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
          return ECHO.handle(request);
        };
    try (UnixHttpServer server = UnixHttpServer.start(socket, handler)) {
      assertThat(server).isNotNull();
      Process slow =
          new ProcessBuilder(
                  "curl",
                  "-sS",
                  "--max-time",
                  "20",
                  "--unix-socket",
                  socket.toString(),
                  "http://x/slow")
              .start();
      blocked.await();
      assertThat(curl(socket, "http://x/quick")).isEqualTo("GET /quick");
      blocks.countDown();
      assertThat(new String(slow.getInputStream().readAllBytes())).isEqualTo("GET /slow ");
    }
  }

  @Test
  void failureOfTheHandlerIsAnAnswer() {
    Path socket = directory.resolve("plugin.sock");
    HttpHandler fails =
        request -> {
          throw new IllegalStateException("a defect");
        };
    try (UnixHttpServer server = UnixHttpServer.start(socket, fails)) {
      assertThat(server).isNotNull();
      assertThat(curl(socket, "-w", "%{http_code}", "http://x/a"))
          .isEqualTo("internal error; see the log\n500");
    }
  }

  @Test
  void requestThatIsTooLongIsRefused() throws Exception {
    Path socket = directory.resolve("plugin.sock");
    Path body = Files.write(directory.resolve("body"), new byte[2 << 20]);
    try (UnixHttpServer server = UnixHttpServer.start(socket, ECHO)) {
      assertThat(server).isNotNull();
      ProcessRun run =
          ProcessRun.of(
              "curl",
              "-sS",
              "--unix-socket",
              socket.toString(),
              "-H",
              "Expect:",
              "-w",
              "%{http_code}",
              "--data-binary",
              "@" + body,
              "http://x/a");
      assertThat(run.output()).contains("413");
    }
  }

  @Test
  void nameThatNoSocketCanHaveIsRefused() {
    assertThatThrownBy(() -> SocketFile.checkName(Path.of("/" + "x".repeat(100))))
        .hasMessageContaining("give an absolute path of at most 75 bytes");
    assertThatThrownBy(() -> SocketFile.checkName(Path.of("trefoil.sock")))
        .hasMessageContaining("'trefoil.sock' cannot name a socket");
  }
}
