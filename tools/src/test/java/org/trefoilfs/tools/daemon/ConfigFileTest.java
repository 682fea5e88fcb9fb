package org.trefoilfs.tools.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.trefoilfs.replication.TrefoilException;
import org.trefoilfs.replication.host.HostOptions;

class ConfigFileTest {
  @TempDir Path directory;

  private HostConfig read(String text) throws IOException {
    Path file = directory.resolve("host.yaml");
    Files.writeString(file, text);
    return ConfigFile.read(file);
  }

  @Test
  void everySettingOfAHostCanBeWritten() throws Exception {
    HostOptions options =
        read("""
                # a host
                data: /srv/trefoil
                name: alpha
                listen: 10.0.0.1:7000
                join: 10.0.0.2
                witness: true
                domain: rack 4
                weight: 3
                heap: 2g
                write-memory: 512m
                detection: 1500ms
                write-timeout: 1m
                catch-up-rate: 200MiB
                """)
            .toOptions();
    assertThat(options.data()).isEqualTo(Path.of("/srv/trefoil"));
    assertThat(options.name()).contains("alpha");
    assertThat(options.listen().orElseThrow()).hasToString("10.0.0.1:7000");
    assertThat(options.join().orElseThrow()).hasToString("10.0.0.2:7440");
    assertThat(options.settings().witness()).isTrue();
    assertThat(options.settings().domain()).contains("rack 4");
    assertThat(options.settings().weight()).isEqualTo(3);
    assertThat(options.settings().detection()).contains(Duration.ofMillis(1500));
    assertThat(options.settings().timeout()).isEqualTo(Duration.ofMinutes(1));
    assertThat(options.settings().writeMemory()).contains(512L << 20);
    assertThat(options.settings().catchUpRate()).isEqualTo(200L << 20);
  }

  @Test
  void onlyWhoFoundsTheClusterSaysHowManyGroupsItHas() throws Exception {
    assertThat(read("data: /x\ngroups: 4096").toOptions().settings().groups()).contains(4096);
    HostConfig joins = read("data: /x\ngroups: 4096\njoin: 10.0.0.1");
    assertThatThrownBy(joins::toOptions).hasMessageContaining("leave out --groups");
  }

  @Test
  void socketForAnEngineCanBeTakenBack() throws Exception {
    HostConfig file = read("data: /x\ndocker-socket: /run/docker/plugins/trefoil.sock");
    assertThat(file.dockerSocket()).contains(Path.of("/run/docker/plugins/trefoil.sock"));
    assertThat(file.dockerMounts()).isEqualTo(Path.of("/x/docker"));
    assertThat(file.with(Key.DOCKER_SOCKET, Key.NONE).dockerSocket()).isEmpty();
    assertThat(file.with(Key.DOCKER_MOUNTS, "/mnt/volumes").dockerMounts())
        .isEqualTo(Path.of("/mnt/volumes"));
  }

  @Test
  void whatIsNotSaidIsTheLibrarysDefault() throws Exception {
    assertThat(read("data: /x\n").toOptions().settings()).isEqualTo(HostOptions.Settings.DEFAULT);
    assertThat(read("").values()).isEmpty();
    assertThat(read("# nothing\n").values()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "naem: x|unknown key 'naem'; the keys are data, name, listen, join, witness",
        "name: [a, b]|key 'name' needs a single value",
        "name:|key 'name' needs a single value",
        "weight: 101|weight: '101' is not a weight",
        "weight: heavy|weight: 'heavy' is not a weight",
        "witness: maybe|witness: 'maybe' is neither true nor false",
        "listen: 'here:there'|listen: 'here:there' is not an address",
        "timeout: 5|timeout: '5' is not a duration; write it as 500ms, 30s or 2m",
        "failure-detection: 100ms|failure-detection: '100ms' is outside 500 ms to 60 s",
        "write-timeout: 2h|write-timeout: '2h' is not a duration",
        "groups: 100|groups: '100' is not a number of placement groups; give a power of two",
        "groups: many|groups: 'many' is not a number of placement groups",
        "catch-up-rate: 512KiB|catch-up-rate: '512KiB' is below 1 MiB per second",
        "catch-up-rate: fast|catch-up-rate: 'fast' is not a rate; write it as 200MiB",
        "docker-socket: here.sock|docker-socket: 'here.sock' cannot name a socket; give an absolute",
        "http: 10.0.0.1:port|http: '10.0.0.1:port' is not an address; write ADDRESS:PORT",
        "log-format: xml|log-format: 'xml' is no format of a log; give text or json",
        "docker-mounts: here|docker-mounts: 'here' is not an absolute path",
        "write-memory: 16m|write-memory: '16m' is below 32m",
        "heap: 1t|heap: '1t' is not an amount of memory",
        "name: 'a b'|name: 'a b' is not a name",
        "- name|it is not a mapping",
        "name: 'x|line 1 is not valid YAML",
      })
  void mistakesAreNamedWithTheirRemedy(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(TrefoilException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({
    "0,0",
    "unlimited,0",
    "1MiB,1048576",
    "2048KiB,2097152",
    "1GiB/s,1073741824",
  })
  void aCatchUpRateIsInBytesPerSecond(String text, long rate) throws Exception {
    HostOptions options = read("data: /x\ncatch-up-rate: " + text).toOptions();
    assertThat(options.settings().catchUpRate()).isEqualTo(rate);
    HostOptions usual = read("data: /x").toOptions();
    assertThat(usual.settings().catchUpRate()).isEqualTo(100L << 20);
  }

  @Test
  void keyWrittenTwiceIsAMistake() {
    assertThatThrownBy(() -> read("name: a\nname: b\n")).hasMessageContaining("not valid YAML");
  }

  @Test
  void fileThatIsNotThereIsNotFound() {
    assertThatThrownBy(() -> ConfigFile.read(directory.resolve("none.yaml")))
        .hasMessageContaining("none.yaml: configuration file cannot be read");
  }

  @Test
  void strongerSourceWinsAndTheWeakerFillsIn() {
    HostConfig file = HostConfig.empty().with(Key.NAME, "from-file").with(Key.WEIGHT, "2");
    HostConfig line = HostConfig.empty().with(Key.NAME, "from-line");
    HostConfig both = line.over(file);
    assertThat(both.get(Key.NAME)).contains("from-line");
    assertThat(both.get(Key.WEIGHT)).contains("2");
  }
}
