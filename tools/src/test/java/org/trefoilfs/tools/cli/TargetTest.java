package org.trefoilfs.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.ProcessId;
import org.trefoilfs.replication.Reason;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.tools.daemon.DaemonFile;
import org.trefoilfs.tools.support.CommandRun;
import org.trefoilfs.tools.support.StubLibrary;

/** Whom a command asks: each source yields to the one before it. */
class TargetTest {
  @TempDir Path directory;
  private CommandRun.Setting setting;
  private final GlobalOptions options = new GlobalOptions();

  @BeforeEach
  void start() {
    setting = new CommandRun.Setting(new StubLibrary(), directory);
  }

  private void remember(Path data, ProcessId process, String address) throws IOException {
    Files.createDirectories(data);
    new DaemonFile(process, "c", "h", List.of(address), Map.of()).store(data);
  }

  private String asked() {
    return Target.resolve(options, setting.machine()).addresses().getFirst().toString();
  }

  @Test
  void strongerSourcesWin() throws Exception {
    Path demo = directory.resolve("target/demo");
    Files.createDirectories(demo);
    Files.writeString(demo.resolve("demo.json"), "{\"ports\":[1001,1003]}");
    remember(demo.resolve("host1"), ProcessId.NONE, "127.0.0.1:1001");
    remember(demo.resolve("host2"), ProcessId.current(), "127.0.0.1:1003");
    assertThat(asked()).as("a host of the demo that runs").isEqualTo("127.0.0.1:1003");

    remember(directory.resolve("system"), ProcessId.NONE, "10.0.0.2:7440");
    assertThat(asked()).as("the system's directory").isEqualTo("10.0.0.2:7440");

    remember(directory.resolve("mine"), ProcessId.NONE, "10.0.0.3:7440");
    setting.with("TREFOIL_DATA", directory.resolve("mine").toString());
    assertThat(asked()).isEqualTo("10.0.0.3:7440");

    setting.with("TREFOIL_CLUSTER", "10.0.0.4, 10.0.0.5:99");
    assertThat(asked()).isEqualTo("10.0.0.4:7440");
    assertThat(Target.resolve(options, setting.machine()).addresses().get(1).port()).isEqualTo(99);

    remember(directory.resolve("given"), ProcessId.NONE, "10.0.0.6:7440");
    options.data = directory.resolve("given");
    assertThat(asked()).isEqualTo("10.0.0.6:7440");

    options.cluster = "[::1]:7";
    assertThat(asked()).isEqualTo("[::1]:7");
  }

  @Test
  void demoThatDoesNotRunIsNotAsked() throws Exception {
    Path demo = directory.resolve("target/demo");
    Files.createDirectories(demo);
    Files.writeString(demo.resolve("demo.json"), "{\"ports\":[1001]}");
    remember(demo.resolve("host1"), ProcessId.NONE, "127.0.0.1:1001");
    assertThatThrownBy(this::asked)
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNAVAILABLE))
        .hasMessageContaining("no cluster is known here")
        .hasMessageContaining("trefoil demo");
  }

  @Test
  void directoryWithoutHostIsNotFound() {
    options.data = directory.resolve("nothing");
    assertThatThrownBy(this::asked)
        .isInstanceOfSatisfying(
            TrefoilException.class, e -> assertThat(e.reason()).isEqualTo(Reason.NOT_FOUND))
        .hasMessageContaining("no host has run in this directory");
  }
}
