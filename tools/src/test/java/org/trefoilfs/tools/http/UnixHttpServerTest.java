package org.trefoilfs.tools.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
