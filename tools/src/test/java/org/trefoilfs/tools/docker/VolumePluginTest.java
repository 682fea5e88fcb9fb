package org.trefoilfs.tools.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.trefoilfs.mount.fuse.MountTable;
import org.trefoilfs.tools.admin.Messages.Directory;
import org.trefoilfs.tools.admin.Messages.Nothing;
import org.trefoilfs.tools.admin.Verb;
import org.trefoilfs.tools.mount.Here;
import org.trefoilfs.tools.support.ClusterProcesses;
import org.trefoilfs.tools.support.Commands;
import org.trefoilfs.tools.support.ContainerMounts;
import org.trefoilfs.tools.support.Machines;
import org.trefoilfs.tools.support.PluginClient;
import org.trefoilfs.tools.support.PluginClient.Answer;
import tools.jackson.databind.JsonNode;

/** Each verb of the protocol, asked of the plugins of two real hosts; no engine is needed. */
final class VolumePluginTest {
  @TempDir static Path directory;
  private static ClusterProcesses cluster;
  private static PluginClient first;
  private static PluginClient second;

  @BeforeAll
  static void start() {
    cluster = ClusterProcesses.start(directory, 2, ContainerMounts.on(Machines.here(2), directory));
    first = new PluginClient(ContainerMounts.socket(directory, 1));
    second = new PluginClient(ContainerMounts.socket(directory, 2));
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void isAVolumeDriverOfGlobalScope() {
    Answer activated = first.send("POST", "Plugin.Activate", "");
    assertThat(activated.status()).isEqualTo(200);
    assertThat(activated.body().toString()).isEqualTo("{\"Implements\":[\"VolumeDriver\"]}");
    Answer capable = first.send("POST", "VolumeDriver.Capabilities", "null");
    assertThat(capable.body().toString()).isEqualTo("{\"Capabilities\":{\"Scope\":\"global\"}}");
  }

  @Test
  void volumeIsCreatedOnceAndSeenAtEveryHost() {
    create(first, "seen", Map.of("replicas", "2", "commit", "async", "rpo", "5s"));
    Answer got = second.ask("VolumeDriver.Get", "seen");
    JsonNode volume = got.body().path("Volume");
    assertThat(got.status()).isEqualTo(200);
    assertThat(volume.path("Name").asString()).isEqualTo("seen");
    assertThat(volume.path("Mountpoint").asString()).isEmpty();
    assertThat(volume.path("Status").path("replicas").asInt()).isEqualTo(2);
    assertThat(volume.path("Status").path("commit").asString()).isEqualTo("async");
    assertThat(volume.path("Status").path("rpo-ms").asInt()).isEqualTo(5000);
    JsonNode listed = second.send("POST", "VolumeDriver.List", "{}").body();
    assertThat(listed.path("Err").asString()).isEmpty();
    assertThat(listed.path("Volumes").valueStream().map(v -> v.path("Name").asString()))
        .contains("seen");

    create(second, "seen", Map.of("replicas", "2", "commit", "async", "rpo", "5s"));
    create(second, "seen", Map.of());
    refused(
        create("seen", Map.of("commit", "sync")),
        500,
        "volume seen: exists with commit async, not sync; leave the option out to use it");
    refused(create("seen", Map.of("replicas", "1")), 500, "exists with replicas 2, not 1");
  }

  @Test
  void wrongOptionIsNamedWithWhatItTakes() {
    refused(
        create("wrong", Map.of("replica", "2")),
        400,
        "volume wrong: there is no option 'replica'; there are replicas=1 to 7, min-in-sync=");
    refused(
        create("wrong", Map.of("replicas", "three")),
        400,
        "volume wrong: replicas: 'three' is not a number; give one from 1 to 7");
    refused(create("wrong", Map.of("replicas", "8")), 400, "8 replicas; give a number from 1 to 7");
    refused(
        create("wrong", Map.of()),
        500,
        "3 replicas need as many storage hosts, and there are 2; start more, or give -o replicas=2");
    refused(
        create("wrong", Map.of("replicas", "2", "min-in-sync", "3")),
        400,
        "3 of 2 replicas cannot have to be in sync; give -o min-in-sync=1 to 2");
    refused(
        create("wrong", Map.of("replicas", "2", "commit", "later")),
        400,
        "volume wrong: commit: 'later' is not a way to commit; give sync or async");
    refused(
        create("wrong", Map.of("replicas", "2", "rpo", "soon")),
        400,
        "volume wrong: rpo: 'soon' is not a duration; write it as 500ms, 30s or 2m");
    refused(
        create("wrong", Map.of("replicas", "2", "rpo", "1ms")), 400, "not between 100 ms and 1 h");
    refused(
        create("wrong", Map.of("replicas", "2", "rpo-bytes", "12")),
        400,
        "volume wrong: rpo-bytes: an RPO of 12 bytes is not between 1 MiB and 1 GiB");
    refused(
        create("n".repeat(65), Map.of("replicas", "2")),
        400,
        "cannot name a volume; use up to 64 letters");
    refused(create("../up", Map.of("replicas", "2")), 400, "'../up' cannot name a volume");
    refused(first.ask("VolumeDriver.Get", "wrong"), 500, "volume wrong: there is no such volume");
  }

  @Test
  void whatIsNoRequestOfTheProtocolIsRefused() {
    refused(first.send("POST", "VolumeDriver.Resize", "{}"), 404, "/VolumeDriver.Resize: not a");
    refused(first.send("GET", "VolumeDriver.List", ""), 405, "asked by POST, not by GET");
    refused(first.send("POST", "VolumeDriver.Mount", "{\"Name\""), 400, "not the JSON expected");
    refused(first.send("POST", "VolumeDriver.Mount", "{}"), 400, "the request has no Name");
    refused(first.ask("VolumeDriver.Mount", "seen"), 400, "the request has no ID");
    refused(mount(first, "none", "a"), 500, "volume none: there is no such volume");
    refused(first.ask("VolumeDriver.Path", "none"), 500, "volume none: there is no such volume");
  }

  @Test
  void volumeIsMountedFromItsFirstUseToItsLast() throws Exception {
    create(first, "used", Map.of("replicas", "2"));
    Path here = mounted(first, "used", "a");
    assertThat(mounted(first, "used", "a")).isEqualTo(here);
    assertThat(mounted(first, "used", "b")).isEqualTo(here);
    assertThat(here).isEqualTo(cluster.containerMounts(1).resolve("used"));
    Files.writeString(here.resolve("file"), "from the first");

    Path there = mounted(second, "used", "c");
    assertThat(Files.readString(there.resolve("file"))).isEqualTo("from the first");
    assertThat(path(first, "used")).isEqualTo(here.toString());
    JsonNode volume = first.ask("VolumeDriver.Get", "used").body().path("Volume");
    assertThat(volume.path("Mountpoint").asString()).isEqualTo(here.toString());
    assertThat(volume.path("Status").path("containers-here").asInt()).isEqualTo(2);

    refused(remove(first, "used"), 500, "volume used: 2 containers of host host1 use it");
    unmounted(second, "used", "c");
    unmounted(second, "used", "never seen");
    refused(remove(second, "used"), 500, "volume used: used at host1:" + here);
    unmounted(first, "used", "a");
    unmounted(first, "used", "a");
    assertThat(MountTable.at(here)).isPresent();
    unmounted(first, "used", "b");
    assertThat(MountTable.at(here)).isEmpty();
    assertThat(here).doesNotExist();
    assertThat(path(first, "used")).isEmpty();

    assertThat(remove(second, "used").error()).isEmpty();
    assertThat(remove(second, "used").error()).as("gone already").isEmpty();
    refused(first.ask("VolumeDriver.Get", "used"), 500, "there is no such volume");
  }

  @Test
  void usesAreKnownToTheNextDaemonAndSoIsTheMount() throws Exception {
    create(first, "kept", Map.of("replicas", "2"));
    Path there = mounted(second, "kept", "a");
    assertThat(mounted(second, "kept", "b")).isEqualTo(there);
    String device = MountTable.at(there).orElseThrow().device();
    Path file = there.resolve("open");
    // A process of its own: one that has a file open here could not start the daemon.
    String script = "exec 3>\"$1\"; echo before >&3; read go; echo after >&3";
    Process container =
        new ProcessBuilder("sh", "-ec", script, "sh", file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (Writer go = container.outputWriter()) {
      Awaitility.await().until(() -> Files.exists(file) && Files.size(file) > 0);
      cluster.kill(2);
      refused(remove(first, "kept"), 500, "used at host2:" + there);
      cluster.restart(2);
      go.write("\n");
    }
    assertThat(container.waitFor()).isZero();
    assertThat(Files.readString(file)).isEqualTo("before\nafter\n");
    assertThat(mounted(second, "kept", "a")).isEqualTo(there);
    assertThat(MountTable.at(there).orElseThrow().device()).isEqualTo(device);
    unmounted(second, "kept", "b");
    assertThat(Files.readString(file)).isEqualTo("before\nafter\n");

    cluster.stop(2);
    assertThat(MountTable.at(there)).as("a container uses it").isPresent();
    cluster.restart(2);
    unmounted(second, "kept", "a");
    assertThat(MountTable.at(there)).as("though it was not taken over yet").isEmpty();
    assertThat(there).doesNotExist();
  }

  @Test
  void volumeIsNotRemovedWhileAHostThatMayUseItCannotBeAsked() throws Exception {
    create(first, "asked", Map.of("replicas", "2"));
    Path there = mounted(second, "asked", "a");
    cluster.kill(2);
    // Its session runs out after ten seconds; a container waits in the mount all the same.
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                refused(
                    remove(first, "asked"),
                    500,
                    "volume asked: containers of host2 may use it, which cannot be asked; start"));
    assertThat(Files.readString(cluster.data(2).resolve(References.NAME))).contains("asked");
    startTheMachineOf2();
    assertThat(path(second, "asked")).as("no container lives through that").isEmpty();
    assertThat(MountTable.at(there)).isEmpty();
    assertThat(there).doesNotExist();
    assertThat(remove(first, "asked").error()).isEmpty();
  }

  /** As far as the daemon can tell. */
  private static void startTheMachineOf2() throws IOException {
    Path file = cluster.data(2).resolve(References.NAME);
    String noted = Files.readString(file);
    Files.writeString(file, noted.replace(Here.current().boot(), "another"));
    cluster.restart(2);
  }

  @Test
  void nothingIsWrittenBeneathAMountThatIsGone() throws Exception {
    create(first, "beneath", Map.of("replicas", "2"));
    Path place = mounted(first, "beneath", "a");
    Path container = Files.createDirectory(directory.resolve("container"));
    Commands.run("mount", "--bind", place.toString(), container.toString());
    Commands.run("umount", "--lazy", place.toString());
    assertThat(place).isDirectory();
    assertThatThrownBy(() -> Files.writeString(place.resolve("lost"), "x"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Operation not permitted");
    refused(
        mount(first, "beneath", "b"),
        500,
        "taken off %1$s by hand while containers use it; remove them, or run: trefoil unmount %1$s"
            .formatted(place));
    Commands.run("umount", container.toString());

    cluster.ask(1, Verb.UNMOUNT, new Directory(place.toString()), Nothing.class);
    assertThat(path(first, "beneath")).as("to all who used it").isEmpty();
    assertThat(mounted(first, "beneath", "c")).isEqualTo(place);
    unmounted(first, "beneath", "c");
    assertThat(place).doesNotExist();
  }

  private static void create(PluginClient plugin, String name, Map<String, String> options) {
    Answer answer = plugin.ask("VolumeDriver.Create", Map.of("Name", name, "Opts", options));
    assertThat(answer.error()).isEmpty();
    assertThat(answer.status()).isEqualTo(200);
  }

  private static Answer create(String name, Map<String, String> options) {
    return first.ask("VolumeDriver.Create", Map.of("Name", name, "Opts", options));
  }

  private static Answer remove(PluginClient plugin, String name) {
    return plugin.ask("VolumeDriver.Remove", name);
  }

  private static Answer mount(PluginClient plugin, String name, String id) {
    return plugin.ask("VolumeDriver.Mount", Map.of("Name", name, "ID", id));
  }

  private static Path mounted(PluginClient plugin, String name, String id) {
    Answer answer = mount(plugin, name, id);
    assertThat(answer.error()).isEmpty();
    Path place = Path.of(answer.body().path("Mountpoint").asString());
    assertThat(MountTable.at(place)).isPresent();
    return place;
  }

  private static void unmounted(PluginClient plugin, String name, String id) {
    Answer answer = plugin.ask("VolumeDriver.Unmount", Map.of("Name", name, "ID", id));
    assertThat(answer.error()).isEmpty();
  }

  private static String path(PluginClient plugin, String name) {
    Answer answer = plugin.ask("VolumeDriver.Path", name);
    assertThat(answer.error()).isEmpty();
    return answer.body().path("Mountpoint").asString();
  }

  private static void refused(Answer answer, int status, String why) {
    assertThat(answer.error()).contains(why);
    assertThat(answer.status()).isEqualTo(status);
  }
}
