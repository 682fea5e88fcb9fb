package org.trefoilfs.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.trefoilfs.replication.membership.HostState;
import org.trefoilfs.tools.admin.Json;
import org.trefoilfs.tools.daemon.Daemon;
import org.trefoilfs.tools.daemon.HostConfig;
import org.trefoilfs.tools.daemon.Key;
import org.trefoilfs.tools.mount.Registry;
import org.trefoilfs.tools.status.StatusReport;
import org.trefoilfs.tools.support.CommandRun;
import org.trefoilfs.tools.support.StubLibrary;
import tools.jackson.databind.JsonNode;

/** Commands against a daemon's shell over the real wire; only the host inside it is a stub. */
class CommandLineTest {
  @TempDir Path directory;
  private Path data;
  private final StubLibrary library = new StubLibrary();
  private CommandRun.Setting setting;
  private Daemon daemon;

  @BeforeEach
  void startDaemon() {
    data = directory.resolve("host");
    setting = new CommandRun.Setting(library, directory);
    HostConfig config =
        HostConfig.empty()
            .with(Key.DATA, data.toString())
            .with(Key.NAME, "alpha")
            .with(Key.LISTEN, "127.0.0.1:0");
    daemon = Daemon.start(library, config, Registry.ofMachine(setting.machine().environment()));
    setting.with("TREFOIL_CLUSTER", daemon.identity().address().toString());
  }

  @AfterEach
  void stopDaemon() {
    daemon.close();
  }

  @Test
  void createdVolumeIsListed() {
    CommandRun created = setting.run("volume", "create", "work", "--replicas", "1");
    assertThat(created.err()).isEmpty();
    assertThat(created.out())
        .isEqualTo("volume work created: 1 replicas, min in-sync 1, commit sync\n");
    assertThat(created.status()).isZero();

    CommandRun listed = setting.run("volume", "list");
    assertThat(listed.out())
        .isEqualTo(
            "VOLUME  REPLICAS  MIN IN-SYNC  COMMIT  FILES  SIZE\n"
                + "work    1         1            sync    1      0 B\n");

    JsonNode json =
        Json.read(setting.run("volume", "list", "--json").out().getBytes(), JsonNode.class);
    assertThat(json.get("volumes").get(0).get("name").asString()).isEqualTo("work");
  }

  @Test
  void volumeThatExistsIsConflict() {
    setting.run("volume", "create", "work", "--replicas", "1");
    CommandRun again = setting.run("volume", "create", "work", "--replicas", "1");
    assertThat(again.status()).isEqualTo(5);
    assertThat(again.err()).isEqualTo("trefoil: volume work: exists; choose another name\n");
  }

  @Test
  void moreReplicasThanHostsAreRefusedWithTheRemedy() {
    CommandRun run = setting.run("volume", "create", "work");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "trefoil: volume work: 3 replicas need as many storage hosts, and there are 1; start"
                + " more, or give --replicas 1\n");
  }

  @Test
  void settingChangesOnlyWhatIsNamed() {
    setting.run("volume", "create", "work", "--replicas", "1");
    CommandRun run = setting.run("volume", "set", "work", "--commit", "async");
    assertThat(run.out())
        .isEqualTo(
            "volume work changed: 1 replicas, min in-sync 1, commit async, RPO 2.0 s and 64 MiB\n");
    assertThat(setting.run("volume", "set", "work", "--rpo", "500ms").out())
        .contains("commit async, RPO 0.5 s and 64 MiB");
    assertThat(setting.run("volume", "set", "work", "--rpo-bytes", "8MiB").out())
        .contains("RPO 0.5 s and 8.0 MiB");
    assertThat(setting.run("volume", "set", "work").status()).isEqualTo(2);
  }

  @Test
  void boundsOfWhatMayBeLostAreChecked() {
    setting.run("volume", "create", "work", "--replicas", "1");
    CommandRun hasty = setting.run("volume", "set", "work", "--rpo", "1ms");
    assertThat(hasty.err()).contains("an RPO of 1 ms is not between 100 ms and 1 h");
    assertThat(hasty.status()).isEqualTo(2);
    CommandRun small = setting.run("volume", "set", "work", "--rpo-bytes", "4096");
    assertThat(small.err()).contains("an RPO of 4096 bytes is not between 1 MiB and 1 GiB");
    CommandRun unknown = setting.run("volume", "set", "work", "--rpo-bytes", "many");
    assertThat(unknown.err()).contains("'many' is not a size; write it as 512KiB, 64MiB or 2GiB");
    assertThat(unknown.status()).isEqualTo(2);
    assertThat(setting.run("lost", "list").out()).isEqualTo("nothing was lost\n");
    assertThat(setting.run("lost", "export", "0abc", "--to", "/tmp/x").err())
        .contains("keeps no spool 0abc; see which host does: trefoil lost list");
  }

  @Test
  void minInSyncIsWithinTheReplicasAndOneIsWarnedOf() {
    library.host().addHost(2, "beta", HostState.UP);
    library.host().addHost(3, "gamma", HostState.UP);
    CommandRun careless = setting.run("volume", "create", "work", "--min-in-sync", "1");
    assertThat(careless.status()).isZero();
    assertThat(careless.out())
        .isEqualTo("volume work created: 3 replicas, min in-sync 1, commit sync\n");
    assertThat(careless.err())
        .isEqualTo(
            "warning: volume work: min in-sync 1 of 3: while its other hosts are away a write has"
                + " one copy, and is lost with that host\n");
    assertThat(setting.run("volume", "set", "work", "--min-in-sync", "2").err()).isEmpty();
    CommandRun tooMany = setting.run("volume", "set", "work", "--min-in-sync", "4");
    assertThat(tooMany.status()).isEqualTo(2);
    assertThat(tooMany.err())
        .isEqualTo(
            "trefoil: volume work: 4 of 3 replicas cannot have to be in sync; give --min-in-sync 1"
                + " to 3\n");
  }

  @Test
  void volumeOnTwoHostsWithoutAWitnessSaysWhatItDoesNotSurvive() {
    library.host().addHost(2, "beta", HostState.UP);
    CommandRun run = setting.run("volume", "create", "pair", "--replicas", "2");
    assertThat(run.status()).isZero();
    assertThat(run.err())
        .contains("warning: two hosts without a witness: they do not survive the loss of alpha");
    JsonNode json =
        Json.read(
            setting.run("volume", "create", "other", "--replicas", "2", "--json").out().getBytes(),
            JsonNode.class);
    assertThat(json.get("warnings")).hasSize(2);
    assertThat(json.get("minInSync").asInt()).isEqualTo(1);
  }

  @Test
  void hostThatRunsIsNotRemovedAndOneThatDoesNotIs() {
    library.host().addHost(2, "beta", HostState.UP);
    CommandRun running = setting.run("host", "remove", "beta");
    assertThat(running.status()).isEqualTo(5);
    assertThat(running.err()).contains("host beta: it runs", "'trefoil host leave beta'");
    assertThat(setting.run("host", "leave", "beta").out()).isEqualTo("host beta leaves\n");
    assertThat(setting.run("host", "list").out()).contains("beta", "leaving");
    assertThat(setting.run("host", "leave", "h2", "--cancel").out()).isEqualTo("host h2 stays\n");
    setting.run("volume", "create", "pair", "--replicas", "2");
    library.host().addHost(2, "beta", HostState.DOWN);
    CommandRun removed = setting.run("host", "remove", "beta");
    assertThat(removed.out()).isEqualTo("host beta removed\n");
    assertThat(removed.err())
        .isEqualTo(
            "warning: volume pair wants 2 replicas, and 1 storage hosts are left; start another"
                + " with --join\n");
    CommandRun again = setting.run("host", "remove", "beta");
    assertThat(again.status()).isEqualTo(4);
    assertThat(again.err())
        .isEqualTo("trefoil: host beta: there is no such host; the hosts are alpha\n");
  }

  @Test
  void deletedVolumeIsGone() {
    setting.run("volume", "create", "work", "--replicas", "1");
    assertThat(setting.run("volume", "delete", "work").status()).isZero();
    assertThat(setting.run("volume", "list").out()).contains("no volumes");
    CommandRun again = setting.run("volume", "delete", "work");
    assertThat(again.status()).isEqualTo(4);
    assertThat(again.err())
        .isEqualTo(
            "trefoil: volume work: there is no such volume; create it with: trefoil volume create"
                + " work\n");
  }

  @Test
  void mountOfUnknownVolumeNamesThoseThatExist() throws Exception {
    setting.run("volume", "create", "work", "--replicas", "1");
    Path point = Files.createDirectory(directory.resolve("mnt"));
    CommandRun run = setting.run("mount", "wrok", point.toString());
    assertThat(run.status()).isEqualTo(4);
    assertThat(run.err())
        .isEqualTo("trefoil: volume wrok: there is no such volume; the volumes are work\n");
  }

  @Test
  void mountPointMustBeAnEmptyDirectory() throws Exception {
    setting.run("volume", "create", "work", "--replicas", "1");
    Path full = Files.createDirectories(directory.resolve("full/of/things")).getParent();
    assertThat(setting.run("mount", "work", full.toString()).err()).contains("not empty");
    Path missing = directory.resolve("missing");
    CommandRun absent = setting.run("mount", "work", missing.toString());
    assertThat(absent.status()).isEqualTo(4);
    assertThat(absent.err()).contains("mkdir -p " + missing);
    Path file = Files.createFile(directory.resolve("file"));
    assertThat(setting.run("mount", "work", file.toString()).err()).contains("not a directory");
  }

  @Test
  void mountsAreKeptByTheDaemonUntilUnmounted() throws Exception {
    setting.run("volume", "create", "work", "--replicas", "1");
    Path point = Files.createDirectory(directory.resolve("mnt")).toRealPath();
    CommandRun mounted = setting.run("mount", "work", point.toString(), "-o", "ro,sync");
    assertThat(mounted.err()).isEmpty();
    assertThat(Files.readString(data.resolve("mounts.json"))).contains(point.toString(), "\"ro\"");
    assertThat(setting.run("status").out()).contains(point + "  work    alpha  mounted");
    assertThat(setting.run("volume", "delete", "work").status()).isEqualTo(5);

    assertThat(setting.run("unmount", point.toString()).status()).isZero();
    assertThat(Files.readString(data.resolve("mounts.json"))).doesNotContain(point.toString());
    CommandRun again = setting.run("unmount", point.toString());
    assertThat(again.status()).isEqualTo(4);
    assertThat(again.err()).isEqualTo("trefoil: " + point + ": not mounted; see: trefoil status\n");
  }

  @Test
  void badMountOptionIsUsageError() throws Exception {
    setting.run("volume", "create", "work", "--replicas", "1");
    Path point = Files.createDirectory(directory.resolve("mnt"));
    CommandRun run = setting.run("mount", "work", point.toString(), "-o", "fast");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("unknown mount option 'fast'");
  }

  @Test
  void statusIsReadableByPeopleAndByPrograms() {
    assertThat(setting.run("status").out()).contains("alpha", "leader", "warning: one host");
    StatusReport report =
        Json.read(setting.run("status", "--json").out().getBytes(), StatusReport.class);
    assertThat(report.cluster().inSync()).isTrue();
    assertThat(report.hosts()).hasSize(1);
    assertThat(setting.run("status", "--wait-in-sync").status()).isZero();
    assertThat(setting.run("host", "list").out()).contains("alpha");
  }

  @Test
  void fsckAsksTheDaemonThatRunsAndReadsTheStoreOfOneThatDoesNot() {
    CommandRun online = setting.run("fsck", "--data", data.toString());
    assertThat(online.out())
        .isEqualTo("1 placement groups, 2 chunks, 8.0 KiB checked; digest d1\nno problems\n");
    assertThat(online.status()).isZero();
    daemon.close();
    CommandRun offline = setting.run("fsck", "--data", data.toString());
    assertThat(offline.status()).isEqualTo(1);
    assertThat(offline.out()).contains("problem: chunk 7-0", "1 problems");
  }

  @Test
  void unreachableClusterSaysWhereItsAddressCameFrom() {
    daemon.close();
    CommandRun run = setting.run("status");
    assertThat(run.status()).isEqualTo(3);
    assertThat(run.err()).contains("(from TREFOIL_CLUSTER): no host answers");
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void verboseAddsTheStackTrace() {
    daemon.close();
    assertThat(setting.run("status", "--verbose").err()).contains("\tat org.trefoilfs");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "vlume list",
        "volume",
        "volume create",
        "volume create w --replicas many",
        "volume create w --commit never",
        "status --wat",
        "host start",
        "host stop",
        "fsck",
        "host start --data /x --weight 0",
        "host start --data /x --heap lots",
        "host start --data /x --heap 512m --write-memory 300m",
        "host start --data /x --catch-up-rate 200",
        "host start --data /x --groups 1000",
        "host start --data /x --groups 128 --join 10.0.0.1",
        "host start --data /x --timeout 5",
        "host start --data /x --failure-detection 100ms",
        "host start --data /x --write-timeout 2h",
        "host start --data /x --failure-detection 10s --write-timeout 15s",
        "volume create w --min-in-sync some",
        "host remove",
        "recover --accept-loss --history",
        "--cluster here:there status",
        "demo --hosts 0"
      })
  void whatMakesNoSenseIsUsageError(String line) {
    CommandRun run = setting.run(line.isEmpty() ? new String[0] : line.split(" "));
    assertThat(run.status()).as(run.err()).isEqualTo(2);
    assertThat(run.err()).startsWith("trefoil: ").endsWith("\n");
    assertThat(run.err().lines()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo",
        "host start",
        "host stop",
        "host list",
        "host leave",
        "host remove",
        "recover",
        "volume create",
        "volume list",
        "volume set",
        "volume delete",
        "mount",
        "unmount",
        "status",
        "fsck",
        "version",
        "help"
      })
  void everyCommandHasAManualPage(String name) {
    CommandRun byOption = setting.run((name + " --help").split(" "));
    CommandRun byCommand = setting.run(("help " + name).split(" "));
    assertThat(byOption.status()).isZero();
    assertThat(byCommand.out()).isEqualTo(byOption.out());
    assertThat(byOption.out())
        .contains(
            List.of(
                "SYNOPSIS\n  trefoil " + name,
                "\nDESCRIPTION\n",
                "\nOPTIONS\n",
                "\nEXIT STATUS\n",
                "\nEXAMPLES\n  trefoil ",
                "\nENVIRONMENT\n",
                "\nFILES\n"));
  }

  @Test
  void versionIsTheBuilds() {
    assertThat(setting.run("version").out()).startsWith("trefoil 0.").doesNotContain("${");
  }
}
