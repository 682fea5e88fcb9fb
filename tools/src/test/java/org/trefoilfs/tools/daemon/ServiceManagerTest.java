package org.trefoilfs.tools.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.demo.Ports;
import org.trefoilfs.tools.support.StubMain;

/** Against a real datagram socket, which a process of perl's has bound as systemd binds its own. */
@Timeout(60)
final class ServiceManagerTest {
  /** Prints each datagram as one line; the first says that the socket is there. */
  private static final String LISTENER =
      """
      use Socket; $| = 1;
      socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; my $path = $ARGV[0] =~ s/^@/\\0/r; bind($s, sockaddr_un($path)) or die;
      print "bound\\n";
      while (defined recv($s, my $m, 4096, 0)) { $m =~ s/\\n/ /g; print "$m\\n" }
      """;

  @TempDir Path directory;
  private Process listener;
  private BufferedReader heard;

  private String listen(String address) throws IOException {
    listener =
        new ProcessBuilder("perl", "-e", LISTENER, address)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    heard = listener.inputReader();
    assertThat(heard.readLine()).isEqualTo("bound");
    return address;
  }

  @AfterEach
  void end() {
    if (listener != null) {
      listener.destroyForcibly();
    }
  }

  @Test
  void aDaemonSaysWhenItServesAndWhenItStops() throws Exception {
    String socket = listen(directory.resolve("notify").toString());
    Path data = directory.resolve("host");
    int port = Ports.free(1, 21_500).getFirst();
    ProcessBuilder start =
        new ProcessBuilder(
                new Jvm(StubMain.class.getName())
                    .longRunning(
                        "64m",
                        List.of(
                            "host",
                            "start",
                            "--data=" + data,
                            "--name=alpha",
                            "--heap=64m",
                            "--listen=127.0.0.1:" + port)))
            .redirectOutput(directory.resolve("out").toFile())
            .redirectErrorStream(true);
    start.environment().put("NOTIFY_SOCKET", socket);
    start.environment().put("WATCHDOG_USEC", "400000");
    Process daemon = start.start();
    try {
      assertThat(heard.readLine())
          .isEqualTo(
              "READY=1 STATUS=host alpha serves at 127.0.0.1:" + port + " MAINPID=" + daemon.pid());
      assertThat(heard.readLine()).isEqualTo("WATCHDOG=1");
      assertThat(heard.readLine()).isEqualTo("WATCHDOG=1");
      daemon.destroy();
      String last;
      do {
        last = heard.readLine();
      } while (last.equals("WATCHDOG=1"));
      assertThat(last).isEqualTo("STOPPING=1 STATUS=host alpha stops");
    } finally {
      daemon.destroyForcibly().waitFor();
    }
  }

  @Test
  void abstractSocketsAreSpokenToAsWell() throws Exception {
    String socket = listen("@trefoil-test-" + ProcessHandle.current().pid());
    ServiceManager.of(Map.of("NOTIFY_SOCKET", socket)).stopping("host alpha stops");
    assertThat(heard.readLine()).isEqualTo("STOPPING=1 STATUS=host alpha stops");
  }

  @Test
  void withoutASocketOrWithADeadOneNothingFails() {
    ServiceManager.of(Map.of()).ready("well");
    ServiceManager.of(Map.of("NOTIFY_SOCKET", directory + "/none")).ready("well");
    ServiceManager.of(Map.of("NOTIFY_SOCKET", "vsock:2:1234")).ready("well");
  }

  @Test
  void aWatchdogOfAnotherProcessIsNotThisOnes() {
    Map<String, String> environment =
        Map.of("NOTIFY_SOCKET", "/none", "WATCHDOG_USEC", "3000000", "WATCHDOG_PID", "1");
    assertThat(ServiceManager.of(environment).watchdog()).isEmpty();
    assertThat(
            ServiceManager.of(Map.of("NOTIFY_SOCKET", "/none", "WATCHDOG_USEC", "3000000"))
                .watchdog())
        .contains(Duration.ofSeconds(3));
  }
}
