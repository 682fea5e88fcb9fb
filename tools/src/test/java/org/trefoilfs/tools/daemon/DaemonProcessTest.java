package org.trefoilfs.tools.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.tools.demo.Ports;
import org.trefoilfs.tools.support.CommandRun;
import org.trefoilfs.tools.support.StubLibrary;
import org.trefoilfs.tools.support.StubMain;

/** Daemons as processes of their own: starting, refusing, stopping, being killed. */
class DaemonProcessTest {
  @TempDir Path directory;
  private Path data;
  private HostConfig config;
  private DaemonProcess daemons;
  private int port;

  @BeforeEach
  void prepare() {
    data = directory.resolve("host");
    port = Ports.free(1, 21_000).getFirst();
    daemons = new DaemonProcess(new StubLibrary(), new Jvm(StubMain.class.getName()));
    config =
        HostConfig.empty()
            .with(Key.DATA, data.toString())
            .with(Key.NAME, "alpha")
            .with(Key.HEAP, "64m")
            .with(Key.LISTEN, "127.0.0.1:" + port);
  }

  @AfterEach
  void stop() {
    DaemonFile.load(data)
        .filter(DaemonFile::isRunning)
        .flatMap(file -> ProcessHandle.of(file.process().pid()))
        .ifPresent(ProcessHandle::destroyForcibly);
  }

  @Test
  void detachedDaemonServesUntilItIsAskedToStop() throws Exception {
    DaemonFile file = daemons.detach(config);
    assertThat(file.isRunning()).isTrue();
    assertThat(file.name()).isEqualTo("alpha");
    String environment =
        Files.readString(Path.of("/proc/" + file.process().pid() + "/cmdline")).replace('\0', ' ');
    assertThat(environment).contains("-Xmx64m", "host start --serve");
    assertThat(Files.readString(data.resolve("daemon.log"))).contains("host alpha serves at");

    assertThat(daemons.stop(data)).isTrue();
    assertThat(file.process().lives()).isFalse();
    assertThat(Files.readString(data.resolve("daemon.log"))).contains("host alpha has stopped");
    assertThat(DaemonFile.load(data).orElseThrow().isRunning()).isFalse();
    assertThat(daemons.stop(data)).as("a second time").isFalse();
  }

  @Test
  void directoryInUseIsRefusedWithTheNameOfItsHolderAndSoIsItsPort() {
    DaemonFile file = daemons.detach(config);
    assertThatThrownBy(() -> daemons.detach(config))
        .isInstanceOfSatisfying(StartFailed.class, e -> assertThat(e.status()).isEqualTo(5))
        .hasMessage(
            "data directory "
                + data
                + " is in use by process "
                + file.process().pid()
                + " (trefoil host 'alpha'); stop it with: trefoil host stop --data "
                + data);
    assertThat(DaemonFile.load(data).orElseThrow().isRunning()).isTrue();
    assertThatThrownBy(() -> daemons.detach(config.with(Key.DATA, directory + "/other")))
        .isInstanceOfSatisfying(StartFailed.class, e -> assertThat(e.status()).isEqualTo(5))
        .hasMessageContaining("port " + port + " is taken");
  }

  @Test
  void killedDaemonLeavesItsDirectoryFreeAndRemembersHowItWasStarted() {
    DaemonFile first = daemons.detach(config);
    ProcessHandle.of(first.process().pid()).orElseThrow().destroyForcibly();
    Awaitility.await().until(() -> !first.process().lives());
    assertThat(DaemonFile.load(data).orElseThrow().isRunning()).isFalse();

    HostConfig bare =
        HostConfig.empty()
            .with(Key.DATA, data.toString())
            .over(DaemonFile.load(data).orElseThrow().remembered());
    DaemonFile second = daemons.detach(bare);
    assertThat(second.addresses()).isEqualTo(first.addresses());
    assertThat(second.name()).isEqualTo("alpha");
    assertThat(bare.heap()).isEqualTo("64m");
  }

  @Test
  void foregroundDaemonKeepsItsProcessIdAndStopsCleanlyOnSigterm() throws Exception {
    Process process =
        new ProcessBuilder(
                new Jvm(StubMain.class.getName())
                    .longRunning(
                        "64m",
                        java.util.List.of(
                            "host",
                            "start",
                            "--data=" + data,
                            "--heap=80m",
                            "--listen=" + config.get(Key.LISTEN).orElseThrow())))
            .inheritIO()
            .start();
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> DaemonFile.load(data).filter(DaemonFile::isRunning).isPresent());
      DaemonFile file = DaemonFile.load(data).orElseThrow();
      assertThat(file.process().pid()).as("replaced, not forked").isEqualTo(process.pid());
      assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")))
          .contains("-Xmx80m");
      process.destroy();
      assertThat(process.waitFor(20, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
      assertThat(DaemonFile.load(data).orElseThrow().isRunning()).isFalse();
      assertThat(Files.readString(data.resolve("daemon.log"))).contains("has stopped");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aCacheThatFitsNothingIsPassedOverAndSaidInTheOutput() throws Exception {
    Path cache = Files.writeString(directory.resolve("foreign.aot"), "of another program");
    System.setProperty(Jvm.CACHE, cache.toString());
    try {
      assertThat(daemons.detach(config).isRunning()).isTrue();
    } finally {
      System.clearProperty(Jvm.CACHE);
    }
    assertThat(Files.readString(data.resolve(DaemonProcess.OUTPUT))).contains("AOT cache");
  }

  @Test
  void aDaemonIsNotStartedWithASettingThatThereIsNot() {
    CommandRun run =
        new CommandRun.Setting(new StubLibrary(), directory)
            .run("host", "start", "--serve", "--data=" + data, "--colour=blue");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .isEqualTo(
            "trefoil: '--colour=blue' is no setting of a host; daemons are started by: trefoil host"
                + " start\n");
    assertThat(data).doesNotExist();
  }

  @Test
  void stoppingWhereNoHostEverRanIsNotFound() {
    CommandRun run =
        new CommandRun.Setting(new StubLibrary(), directory)
            .run("host", "stop", "--data", directory.resolve("none").toString());
    assertThat(run.status()).isEqualTo(4);
    assertThat(run.err()).contains("no host has run in this directory");
  }
}
