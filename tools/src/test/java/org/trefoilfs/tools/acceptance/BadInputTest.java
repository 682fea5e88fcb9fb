package org.trefoilfs.tools.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.replication.transport.FrameHeader;
import org.trefoilfs.replication.transport.Hello;
import org.trefoilfs.tools.Trefoil;
import org.trefoilfs.tools.daemon.Jvm;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.CommandRun;

/**
 * What a user may get wrong, against real daemons: one line that names the thing, the reason and
 * the remedy, the exit status of the manual, and a volume and a host that are none the worse for
 * it.
 */
class BadInputTest {
  private static final int FAILED = 1;
  private static final int USAGE = 2;
  private static final int NOT_FOUND = 4;
  private static final int CONFLICT = 5;
  private static final int MISSING = 6;

  @TempDir static Path directory;
  private static ClusterProcesses cluster;
  private static ClusterProcesses other;
  private static CommandRun.Setting setting;
  private static Path mounted;
  private static long pid;

  @TempDir Path scratch;

  @BeforeAll
  static void start() throws IOException {
    cluster = ClusterProcesses.start(directory.resolve("one"), 1);
    other = ClusterProcesses.start(directory.resolve("other"), 1);
    cluster.createVolume("work", 1);
    mounted = cluster.mount(1, "work");
    Files.writeString(mounted.resolve("canary"), "sings");
    pid = cluster.pid(1);
  }

  @AfterAll
  static void stop() {
    for (ClusterProcesses each : new ClusterProcesses[] {cluster, other}) {
      if (each != null) {
        each.close();
      }
    }
  }

  @BeforeEach
  void setting() {
    setting = CommandRun.Setting.real(scratch).with("TREFOIL_CLUSTER", address());
  }

  @AfterEach
  void nothingIsLost() {
    assertThat(mounted.resolve("canary")).hasContent("sings");
    assertThat(cluster.pid(1)).isEqualTo(pid);
    assertThat(cluster.isRunning(1)).isTrue();
    assertThat(cluster.status(1).hosts()).hasSize(1);
    assertThat(cluster.fsck(1).problems()).isEmpty();
  }

  private static String address() {
    return cluster.address(1).toString();
  }

  private static void assertRefused(CommandRun run, int status, String... words) {
    assertThat(run.err()).startsWith("trefoil: ").hasLineCount(1).contains(words);
    assertThat(run.err()).doesNotContain("Exception");
    assertThat(run.out()).isEmpty();
    assertThat(run.status()).isEqualTo(status);
  }

  // ---- volumes and mount points

  @Test
  void unknownVolumeIsNamedWithThoseThatExist() throws IOException {
    Path point = Files.createDirectory(scratch.resolve("point"));
    assertRefused(
        setting.run("mount", "wrok", point.toString()),
        NOT_FOUND,
        "volume wrok: there is no such volume; the volumes are work");
    assertRefused(setting.run("volume", "delete", "wrok"), NOT_FOUND, "volume wrok", "work");
  }

  @Test
  void mountPointThatIsMissingIsNotMade() {
    Path point = scratch.resolve("missing");
    assertRefused(
        setting.run("mount", "work", point.toString()),
        NOT_FOUND,
        point.toString(),
        "does not exist",
        "mkdir -p");
    assertThat(point).doesNotExist();
  }

  @Test
  void mountPointThatIsNotEmptyIsLeftAsItIs() throws IOException {
    Path mine = Files.writeString(scratch.resolve("mine"), "precious");
    assertRefused(
        setting.run("mount", "work", scratch.toString()),
        FAILED,
        scratch.toString(),
        "not empty",
        "empty directory");
    assertThat(mine).hasContent("precious");
  }

  @Test
  void mountPointThatIsAFileIsRefused() throws IOException {
    Path file = Files.writeString(scratch.resolve("file"), "precious");
    assertRefused(
        setting.run("mount", "work", file.toString()),
        FAILED,
        file.toString(),
        "not a directory",
        "choose another");
    assertThat(file).hasContent("precious");
  }

  @Test
  void mountPointThatIsTakenKeepsItsMount() {
    assertRefused(
        setting.run("mount", "work", mounted.toString()),
        CONFLICT,
        mounted.toString(),
        "mount point already",
        "trefoil unmount");
  }

  // ---- data directories, names and ports

  @Test
  void directoryOfAnotherClusterJoinsNothing() throws IOException {
    other.stop(1);
    Path identity = other.data(1).resolve("host.properties");
    String before = Files.readString(identity);
    assertRefused(
        setting.run(
            "host", "start", "--detach", "--data", other.data(1).toString(), "--join", address()),
        FAILED,
        "data directory " + other.data(1),
        "another cluster",
        "--join",
        "--data");
    assertThat(Files.readString(identity)).isEqualTo(before);
    other.restart(1);
  }

  @Test
  void directoryKeepsItsNameAndAddress() {
    other.stop(1);
    String data = other.data(1).toString();
    assertRefused(
        setting.run("host", "start", "--detach", "--data", data, "--name", "anna"),
        USAGE,
        "data directory " + data + " belongs to host 'host1'",
        "not to 'anna'",
        "leave out --name");
    assertRefused(
        setting.run("host", "start", "--detach", "--data", data, "--listen", "127.0.0.1:31994"),
        USAGE,
        "data directory " + data + " belongs to host 'host1'",
        "127.0.0.1:31994",
        "leave out --listen");
    other.restart(1);
  }

  @Test
  void directoryOfARunningDaemonIsLocked() {
    assertRefused(
        setting.run("host", "start", "--detach", "--data", cluster.data(1).toString()),
        CONFLICT,
        "data directory " + cluster.data(1) + " is in use by process " + pid,
        "trefoil host stop --data");
  }

  @Test
  void portThatIsTakenIsNamed() {
    Path data = scratch.resolve("data");
    assertRefused(
        setting.run("host", "start", "--detach", "--data", data.toString(), "--listen", address()),
        CONFLICT,
        "port " + cluster.address(1).port(),
        "is taken",
        "--listen");
    assertThat(data.resolve("host.properties")).doesNotExist();
  }

  @Test
  void secondHostOfANameIsRefused() {
    Path data = scratch.resolve("data");
    assertRefused(
        setting.run(
            "host",
            "start",
            "--detach",
            "--data",
            data.toString(),
            "--listen",
            "127.0.0.1:0",
            "--join",
            address(),
            "--name",
            "host1"),
        CONFLICT,
        "host1",
        "--name");
    assertThat(data.resolve("host.properties")).doesNotExist();
  }

  @Test
  void nobodyToJoinIsNamed() {
    assertRefused(
        setting.run(
            "host",
            "start",
            "--detach",
            "--data",
            scratch.resolve("data").toString(),
            "--listen",
            "127.0.0.1:0",
            "--timeout",
            "2s",
            "--join",
            "127.0.0.1:1"),
        3,
        "127.0.0.1:1",
        "join");
  }

  // ---- arguments and configuration

  @Test
  void argumentsThatMakeNoSenseAreExplained() {
    assertRefused(setting.run("frobnicate"), USAGE, "frobnicate", "--help");
    assertRefused(setting.run("mount", "work"), USAGE, "DIR", "--help");
    assertRefused(
        setting.run("volume", "create", "big", "--replicas", "many"), USAGE, "many", "--help");
    assertRefused(
        setting.run("mount", "work", scratch.toString(), "-o", "fast"), USAGE, "fast", "timeout");
    assertRefused(
        setting.run("host", "start", "--data", scratch.toString(), "--weight", "1000"),
        USAGE,
        "weight",
        "1 to 100");
    assertRefused(setting.run("--cluster", "127.0.0.1:99999", "status"), USAGE, "127.0.0.1:99999");
  }

  @Test
  void unknownKeyOfTheConfigurationIsNamedWithThoseThatExist() throws IOException {
    Path file =
        Files.writeString(
            scratch.resolve("host.yaml"), "data: " + scratch.resolve("data") + "\nprot: 7440\n");
    assertRefused(
        setting.run("host", "start", "--detach", "--config", file.toString()),
        USAGE,
        file.toString(),
        "unknown key 'prot'",
        "listen");
    assertThat(scratch.resolve("data")).doesNotExist();
  }

  // ---- what the machine lacks

  @Test
  void machineWithoutFuseDeviceIsToldHowToGetIt() throws Exception {
    String hidden =
        "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3"
            + " && mknod -m 666 /dev/urandom c 1 9 && mknod -m 666 /dev/random c 1 8";
    assertRefused(
        runWhere(hidden, "mount", "work", emptyPoint()), MISSING, "/dev/fuse", "modprobe fuse");
  }

  @Test
  void machineWithoutLibfuseIsToldHowToGetIt() throws Exception {
    // A whiteout of overlayfs (its documentation, "whiteouts and opaque directories").
    String hidden =
        "cd $(dirname $(readlink -f $(ldconfig -p | sed -n 's/.*libfuse.so.2 .*=> //p' | head -1)))"
            + " && lib=$PWD && mount -t tmpfs none "
            + scratch
            + " && cd "
            + scratch
            + " && mkdir upper work && for f in $lib/libfuse.so.2*;"
            + " do mknod upper/$(basename $f) c 0 0; done"
            + " && mount -t overlay none -o lowerdir=$lib,upperdir=upper,workdir=work $lib"
            + " && mkdir point && cd /";
    assertRefused(
        runWhere(
            hidden, "mount", "--transport", "libfuse", "work", scratch.resolve("point").toString()),
        MISSING,
        "libfuse.so.2",
        "libfuse2");
  }

  private String emptyPoint() throws IOException {
    return Files.createDirectory(scratch.resolve("point")).toString();
  }

  /** Runs a command as a process, in a mount namespace that a script has prepared. */
  private CommandRun runWhere(String script, String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of("unshare", "--mount", "bash", "-ec", script + "\nexec \"$@\"", "trefoil"));
    command.addAll(new Jvm(Trefoil.class.getName()).longRunning("128m", List.of(arguments)));
    Path output = directory.resolve("out");
    Path errors = directory.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile());
    builder.environment().put("TREFOIL_CLUSTER", address());
    builder.environment().put("TREFOIL_RUN", directory.resolve("run").toString());
    int status = builder.start().waitFor();
    return new CommandRun(status, Files.readString(output), Files.readString(errors));
  }

  // ---- frames on the port

  @Test
  void garbageOnThePortIsAnsweredOnceAndDropped() throws IOException {
    byte[] garbage = "GET / HTTP/1.1\r\nHost: trefoil\r\n\r\n".getBytes(StandardCharsets.UTF_8);
    assertTurnedAway(garbage, "the protocol of trefoil");
  }

  @Test
  void oversizedFrameIsNotReceived() throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES);
    frame
        .putInt(0, FrameHeader.MAGIC)
        .putShort(4, (short) FrameHeader.PROTOCOL_VERSION)
        .putInt(16, Integer.MAX_VALUE);
    assertTurnedAway(frame.array(), "at most " + Hello.PAYLOAD_MAX);
  }

  @Test
  void frameOfAnotherVersionIsToldBoth() throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES);
    frame.putInt(0, FrameHeader.MAGIC).putShort(4, (short) 9);
    assertTurnedAway(frame.array(), "version 9", "version " + FrameHeader.PROTOCOL_VERSION);
  }

  private static void assertTurnedAway(byte[] sent, String... words) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", cluster.address(1).port())) {
      socket.setSoTimeout(5_000);
      socket.getOutputStream().write(sent);
      byte[] answer = socket.getInputStream().readAllBytes();
      assertThat(new String(answer, StandardCharsets.UTF_8)).contains(words);
    }
    Path log = cluster.data(1).resolve("daemon.log");
    // Said once in a while for each peer: a peer must not fill the log.
    String line = "closing a connection from 127.0.0.1: ";
    Awaitility.await().untilAsserted(() -> assertThat(log).content().contains(line));
  }
}
